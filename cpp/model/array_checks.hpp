// What whole arrays of a model have to be, in one pass over each, with the widest registers there
// are. That it is so is all they say: what is wrong is looked for elsewhere.
#pragma once

#include <cstdint>

namespace rlt {

bool all_finite(const double* x, std::int64_t size);

// Whether each is at least the one before it, and none negative. The same of pointers of 32 bits,
// which are widened.
bool ascend(const std::int64_t* pointers, std::int64_t size);
bool widen(const std::int32_t* pointers, std::int64_t size, std::int64_t* wide);

// Whether pairs are in the order of (state, action), none twice, with no state passed over and no
// action below 0; the pair at -1 is the one before. `largest` becomes the largest action, if it was
// smaller.
bool pairs_ascend(const std::int64_t* state, const std::int64_t* action, std::int64_t size,
                  std::int64_t& largest);

}  // namespace rlt
