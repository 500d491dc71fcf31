// The short answers that are not the app's: HTML for people, JSON (RFC 9457) for programs, nothing about our insides.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "sallyport/http/head_writer.hpp"
#include "sallyport/http/refusal.hpp"
#include "sallyport/site/http_date.hpp"
#include "sallyport/site/reason.hpp"

namespace sallyport::site {

enum class AnswerForm : std::uint8_t { html, json };

/// HTML if `Accept` names it, or text/*, and likes no JSON better: browsers do. Everything else gets JSON: programs,
/// curl's */*, and who did not say.
[[nodiscard]] AnswerForm answer_form(std::string_view accept);
/// The same of a request, all lines of whose `Accept` are one list.
[[nodiscard]] AnswerForm answer_form(const http::Fields& fields);

/// Borrows everything.
struct ErrorAnswer {
    Reason reason{Reason::internal_error};
    std::uint16_t status{0}; ///< 0: the reason's. For a refused request: `http::facts(refusal).status`
    AnswerForm form{AnswerForm::json};
    std::chrono::system_clock::time_point now{};
    std::string_view request_id{}; ///< empty: there is none
    /// Of a 431: the largest field's name and size, as `http::Refused` has them. Its value is never here.
    std::string_view field{};
    std::size_t field_size{0};
    std::span<const http::Line> added{}; ///< what else the head says: Strict-Transport-Security
};

[[nodiscard]] std::uint16_t status_of(const ErrorAnswer& answer);

/// Appends the body. It is not to be sent in answer to HEAD, whose head has its length all the same.
void append_error_body(std::string& out, const ErrorAnswer& answer);

/// The fields of such an answer, their names in lower case: content-type, content-length, cache-control …, then
/// `added`. Borrows: the answer; the views are valid while this lives.
class ErrorFields {
public:
    ErrorFields(const ErrorAnswer& answer, std::size_t body_size);
    ErrorFields(const ErrorFields&) = delete;
    ErrorFields& operator=(const ErrorFields&) = delete;

    [[nodiscard]] std::span<const http::Line> lines() const { return {lines_.data(), size_}; }

private:
    void add(std::string_view name, std::string_view value);

    static constexpr std::size_t kLinesMax = 16; ///< more of `added` than there is room for are left out
    std::array<http::Line, kLinesMax> lines_{};
    std::size_t size_{0};
    std::array<char, 20> length_{};
    HttpDate date_;
};

} // namespace sallyport::site
