#include "sallyport/audit/report.hpp"

#include <algorithm>
#include <iomanip>
#include <limits>
#include <sstream>

#include "judge.hpp"
#include "sallyport/log/text.hpp"

namespace sallyport::audit {

namespace {

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max() / 2;

std::string safe(std::string_view text)
{
    std::string out;
    log::append_escaped(out, text, kNoLimit);
    return out;
}

std::ptrdiff_t count(const Report& report, Grade grade)
{
    return std::ranges::count(report.rows, grade, &Row::grade);
}

std::string heading(const Report& report)
{
    const std::string runtime{sys::name(report.runtime)};
    return report.live ? "a running family, by what /proc shows (" + runtime + ")"
                       : "what a start would find here (" + runtime + ")";
}

void print_mend(std::ostringstream& text, std::string_view mend)
{
    while (!mend.empty()) {
        const std::size_t end = std::min(mend.find('\n'), mend.size());
        text << "        " << safe(mend.substr(0, end)) << '\n';
        mend.remove_prefix(std::min(end + 1, mend.size()));
    }
}

std::string in_quotes(std::string_view text)
{
    return "\"" + safe(text) + "\"";
}

std::string row_as_json(const Row& row)
{
    return "{\"grade\":" + in_quotes(name(row.grade)) + ",\"process\":" + in_quotes(row.process) +
           ",\"what\":" + in_quotes(row.what) + ",\"value\":" + in_quotes(row.value) +
           ",\"mend\":" + in_quotes(row.mend) + "}";
}

} // namespace

std::string_view name(Grade grade)
{
    switch (grade) {
    case Grade::ok:
        return "ok";
    case Grade::warn:
        return "warn";
    case Grade::fail:
        return "fail";
    }
    return "fail";
}

std::vector<Row> judge(const Facts& facts)
{
    std::vector<Row> rows;
    judge_place(facts, rows);
    for (const std::string& role : facts.missing)
        rows.push_back({Grade::fail, role, "process", "there is none", "see the log for the reason of its death"});
    for (const ProcessFacts& process : facts.processes)
        judge_process(process, facts, rows);
    return rows;
}

bool Report::failed() const
{
    return count(*this, Grade::fail) > 0;
}

std::string as_text(const Report& report)
{
    std::ostringstream text;
    text << heading(report) << '\n';
    const std::string* process = nullptr;
    for (const Row& row : report.rows) {
        if (process == nullptr || *process != row.process)
            text << '\n' << (row.process.empty() ? "the place" : row.process) << '\n';
        process = &row.process;
        text << "  " << std::left << std::setw(6) << name(row.grade) << std::setw(26) << row.what << safe(row.value)
             << '\n';
        print_mend(text, row.mend);
    }
    text << '\n'
         << count(report, Grade::ok) << " ok, " << count(report, Grade::warn) << " warn, " << count(report, Grade::fail)
         << " fail\n";
    return text.str();
}

std::string as_json(const Report& report)
{
    std::string text = "{\"live\":" + std::string{report.live ? "true" : "false"} +
                       ",\"runtime\":" + in_quotes(sys::name(report.runtime)) +
                       ",\"ok\":" + std::to_string(count(report, Grade::ok)) +
                       ",\"warn\":" + std::to_string(count(report, Grade::warn)) +
                       ",\"fail\":" + std::to_string(count(report, Grade::fail)) + ",\"rows\":[";
    for (std::size_t i = 0; i < report.rows.size(); ++i)
        text += (i == 0 ? "\n" : ",\n") + row_as_json(report.rows[i]);
    return text + "]}\n";
}

} // namespace sallyport::audit
