#include "figure_book.hpp"

#include <algorithm>
#include <utility>

#include "sallyport/base/start_error.hpp"
#include "sallyport/sys/secret_memory_file.hpp"

namespace sallyport::gatekeeper {

// A copy of a sum is a page of one shard.
static_assert(sizeof(metrics::Sum) == metrics::worker_page_size(1));

FigureBook::FigureBook()
{
    auto house = sys::SharedMemory::make("sallyport-house", sizeof(metrics::HouseFigures));
    if (!house) throw StartError{ExitCode::os_error, "no memory for figures: " + house.error().cause.message()};
    house_ = std::move(*house);
    house_.end_new_writers();
}

metrics::HouseFigures& FigureBook::house() const
{
    return *reinterpret_cast<metrics::HouseFigures*>(house_.bytes().data());
}

metrics::Sum FigureBook::sum() const
{
    metrics::Sum sum = past_;
    for (const Page& page : pages_)
        sum.add(metrics::WorkerPage{page.memory.bytes()});
    return sum;
}

Result<FigureBook::Number> FigureBook::open(std::size_t shards)
{
    fold_closed();
    auto copy = sys::sealed_copy(std::as_bytes(std::span{&past_, 1}));
    if (!copy) return std::unexpected{copy.error()};
    auto memory = sys::SharedMemory::make("sallyport-figures", metrics::worker_page_size(shards));
    if (!memory) return std::unexpected{memory.error()};
    past_copy_ = std::move(*copy);
    pages_.push_back({.number = ++last_, .memory = std::move(*memory)});
    return last_;
}

std::vector<int> FigureBook::descriptors(Number number) const
{
    std::vector<int> own;
    std::vector<int> others;
    for (const Page& page : pages_)
        (page.number == number ? own : others).push_back(page.memory.fd());
    std::vector all{house_.fd(), past_copy_.get()};
    all.insert(all.end(), own.begin(), own.end());
    all.insert(all.end(), others.begin(), others.end());
    return all;
}

void FigureBook::keep(Number number)
{
    if (const Page* page = find(number)) page->memory.end_new_writers();
}

void FigureBook::close(Number number)
{
    Page* const page = find(number);
    if (page == nullptr || std::exchange(page->is_closed, true)) return;
    metrics::settle(metrics::WorkerPage{page->memory.bytes()});
}

FigureBook::Page* FigureBook::find(Number number)
{
    const auto found = std::ranges::find(pages_, number, &Page::number);
    return found == pages_.end() ? nullptr : &*found;
}

void FigureBook::fold_closed()
{
    for (const Page& page : pages_)
        if (page.is_closed) past_.add(metrics::WorkerPage{page.memory.bytes()});
    std::erase_if(pages_, [](const Page& page) { return page.is_closed; });
}

} // namespace sallyport::gatekeeper
