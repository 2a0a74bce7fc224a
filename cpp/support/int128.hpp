#pragma once

namespace rlt {

__extension__ using Int128 = __int128;

}  // namespace rlt
