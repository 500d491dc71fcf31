#include "yaml.hpp"

#include <sstream>
#include <stdexcept>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace sallyport::config {

namespace {

constexpr int kNodesMax = 10'000;
constexpr int kDepthMax = 32;

struct TooLarge : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One conversion from yaml-cpp's nodes to ours.
class Conversion {
public:
    Conversion(const std::string& source, Mistakes& mistakes) : source_{source}, mistakes_{mistakes} {}

    Node convert(const YAML::Node& yaml, int depth)
    {
        // Aliases may make a small text endless.
        if (depth > kDepthMax || ++nodes_ > kNodesMax) throw TooLarge{"too large or too deeply nested"};
        Node node{.at = place(yaml.Mark())};
        check_tag(yaml.Tag(), node);
        if (node.form == Node::Form::invalid) return node;
        if (yaml.IsScalar()) {
            node.form = Node::Form::scalar;
            node.text = node.written = yaml.Scalar();
            node.quoted = yaml.Tag() == "!";
        } else if (yaml.IsSequence()) {
            node.form = Node::Form::list;
            for (const YAML::Node& item : yaml)
                node.items.push_back(convert(item, depth + 1));
        } else if (yaml.IsMap()) {
            node.form = Node::Form::mapping;
            for (const auto& entry : yaml)
                add_entry(entry.first, entry.second, node, depth);
        }
        return node;
    }

private:
    Place place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }

    void add_entry(const YAML::Node& key, const YAML::Node& value, Node& into, int depth)
    {
        const Place at = place(key.Mark());
        if (!key.IsScalar()) {
            mistakes_.report(at, "a key must be a single word");
            return;
        }
        if (const Node* first = first_with(into, key.Scalar())) {
            mistakes_.report(at, "the key " + quote(key.Scalar()) + " is here twice: first on line " +
                                     std::to_string(first->at.line));
            return;
        }
        Node item = convert(value, depth + 1);
        if (item.form == Node::Form::null) item.at = at; // yaml-cpp's mark of nothing is that of what follows
        into.put(key.Scalar(), std::move(item));
        into.keys.back().at = at;
    }

    static const Node* first_with(const Node& mapping, const std::string& key)
    {
        for (const Node& known : mapping.keys)
            if (known.text == key) return &known;
        return nullptr;
    }

    void check_tag(const std::string& tag, Node& node)
    {
        if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
        mistakes_.report(node.at, "the tag " + quote(tag) + " has no meaning here");
        node.form = Node::Form::invalid;
    }

    const std::string& source_;
    Mistakes& mistakes_;
    int nodes_{0};
};

/// Notes where a document starts, and nothing else.
class DocumentStart : public YAML::EventHandler {
public:
    YAML::Mark mark;

    void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

/// The only document; nothing if there is none. YAML::LoadAll would do, but makes documents without end out of a
/// stray comma.
std::optional<YAML::Node> only_document(const std::string& text, const std::string& source, Mistakes& mistakes)
{
    std::istringstream stream{text};
    YAML::Parser parser{stream};
    DocumentStart start;
    if (!parser.HandleNextDocument(start)) return std::nullopt;
    if (parser.HandleNextDocument(start))
        mistakes.report({source, start.mark.line + 1, start.mark.column + 1},
                        "the configuration has ended before this: there is one YAML document only");
    return YAML::Load(text);
}

std::string syntax_error(const YAML::Exception& error, const std::string& text)
{
    std::string explained = "this is not YAML: " + error.msg;
    if (text.find("${") != std::string::npos && error.msg.find("flow") != std::string::npos)
        explained += "; between { } or [ ] a variable needs quotes: \"${NAME}\"";
    return explained;
}

void emit(YAML::Emitter& out, const Node& node)
{
    switch (node.form) {
    case Node::Form::list:
        out << (node.items.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
        for (const Node& item : node.items)
            emit(out, item);
        out << YAML::EndSeq;
        break;
    case Node::Form::mapping:
        out << (node.items.empty() ? YAML::Flow : YAML::Block) << YAML::BeginMap;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            out << YAML::Key << node.keys[i].text << YAML::Value;
            emit(out, node.items[i]);
        }
        out << YAML::EndMap;
        break;
    case Node::Form::scalar:
        if (node.quoted) out << YAML::DoubleQuoted;
        out << node.text;
        break;
    default:
        out << YAML::Null;
    }
}

} // namespace

std::optional<Node> read_yaml(const std::string& text, const std::string& source, Mistakes& mistakes)
{
    const Place start{source, 1, 1};
    try {
        if (text.size() > kTextMax) throw TooLarge{"larger than 1 MiB"};
        const auto document = only_document(text, source, mistakes);
        return document ? Conversion{source, mistakes}.convert(*document, 0) : Node{.at = start};
    } catch (const YAML::Exception& error) {
        mistakes.report({source, error.mark.line + 1, error.mark.column + 1}, syntax_error(error, text));
    } catch (const TooLarge& error) {
        mistakes.report(start, error.what());
    }
    return std::nullopt;
}

std::string write_yaml(const Node& node)
{
    YAML::Emitter out;
    emit(out, node);
    return std::string{out.c_str()} + "\n";
}

} // namespace sallyport::config
