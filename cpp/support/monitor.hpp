// What a long loop calls once per sweep: it may throw (Ctrl-C) to end the loop.
#pragma once

#include <functional>

namespace rlt {

using Monitor = std::function<void()>;

}  // namespace rlt
