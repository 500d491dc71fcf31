// Boost.JSON itself: compiled here, so that no library of it is linked.
#include <boost/json/src.hpp>
