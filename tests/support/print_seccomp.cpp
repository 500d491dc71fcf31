// Prints docker/seccomp.json: the container's filter in the form that Docker, Podman and Kubernetes read.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "privsep/filter.hpp"

namespace {

using sallyport::sys::ArgumentCheck;
using sallyport::sys::FilterRule;
using sallyport::sys::Verdict;

/// The C library then takes clone.
constexpr const char* kAbsent = R"("action": "SCMP_ACT_ERRNO", "errnoRet": 38)";
constexpr const char* kAllow = R"("action": "SCMP_ACT_ALLOW")";

std::string text_of(const ArgumentCheck& check)
{
    return R"({ "index": )" + std::to_string(check.index) + R"(, "value": )" + std::to_string(check.mask) +
           R"(, "valueTwo": )" + std::to_string(check.value) + R"(, "op": "SCMP_CMP_MASKED_EQ" })";
}

std::string joined(const std::vector<std::string>& parts, const std::string& separator)
{
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : separator) + part;
    return text;
}

std::string with_condition(const FilterRule& rule)
{
    std::vector<std::string> checks;
    for (const ArgumentCheck& check : rule.all_of)
        checks.push_back(text_of(check));
    return R"({ "names": [")" + std::string{rule.call} + R"("], )" +
           (rule.verdict == Verdict::absent ? kAbsent : kAllow) +
           (checks.empty() ? "" : R"(, "args": [)" + joined(checks, ", ") + "]") + " }";
}

} // namespace

int main()
{
    std::set<std::string> whole;
    std::vector<std::string> entries{""};
    for (const FilterRule& rule : sallyport::privsep::container_filter().rules) {
        if (rule.verdict == Verdict::allow && rule.all_of.empty())
            whole.insert('"' + std::string{rule.call} + '"');
        else
            entries.push_back(with_condition(rule));
    }
    entries[0] = "{\n      \"names\": [\n        " + joined({whole.begin(), whole.end()}, ",\n        ") +
                 "\n      ],\n      " + kAllow + "\n    }";
    std::printf("{\n  \"defaultAction\": \"SCMP_ACT_ERRNO\",\n  \"syscalls\": [\n    %s\n  ]\n}\n",
                joined(entries, ",\n    ").c_str());
    return EXIT_SUCCESS;
}
