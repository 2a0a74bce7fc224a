#include "learning/planner.hpp"

#include "learning/bernstein.hpp"
#include "learning/here.hpp"
#include "learning/hoeffding.hpp"

namespace rlt {

template <class Backup>
void plan_here(Planner<Backup>& planner) {
    induce_here(planner);
}

template void plan_here(Planner<HoeffdingBackup>&);
template void plan_here(Planner<BernsteinBackup>&);

}  // namespace rlt
