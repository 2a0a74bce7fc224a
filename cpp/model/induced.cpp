#include "model/induced.hpp"

#include <algorithm>

#include "model/build.hpp"
#include "support/float_mode.hpp"

namespace rlt {

std::shared_ptr<const Model> induced_chain(const Model& model, const double* weight) {
    const StandardFloatMode mode;
    const ModelView& m = model.view;
    const auto n = static_cast<std::size_t>(m.n_states);
    std::vector<std::int64_t> row_ptr{0};
    std::vector<std::int32_t> col, touched;
    std::vector<double> prob, mass(n, 0.0), reward(n, 0.0), exit(n, 0.0);
    row_ptr.reserve(n + 1);
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t s = 0; s < m.n_states; ++s) {
            double total = 0.0;
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r) total += weight[r];
            touched.clear();
            for (std::int64_t r = m.row_begin(0, s); r < m.row_end(0, s); ++r) {
                if (weight[r] == 0.0) continue;
                const double w = weight[r] / total;
                const double scaled =
                    m.defect && m.rows_need_correction ? w / (1.0 + m.defect[r]) : w;
                reward[static_cast<std::size_t>(s)] += w * m.reward[r];
                exit[static_cast<std::size_t>(s)] += scaled * rows.exit(r);
                rows.each(r, [&](std::int32_t j, double p) {
                    double& to = mass[static_cast<std::size_t>(j)];
                    if (to == 0.0 && scaled * p > 0.0) touched.push_back(j);
                    to += scaled * p;
                });
            }
            std::sort(touched.begin(), touched.end());
            for (const std::int32_t j : touched) {
                col.push_back(j);
                prob.push_back(mass[static_cast<std::size_t>(j)]);
                mass[static_cast<std::size_t>(j)] = 0.0;
            }
            row_ptr.push_back(static_cast<std::int64_t>(col.size()));
        }
    });
    RawRows raw;
    raw.n_states = m.n_states;
    raw.n_actions = 1;
    raw.n_rows = m.n_states;
    raw.reward = Buffer<double>(std::move(reward));
    if (m.has_exits) raw.exit = Buffer<double>(std::move(exit));
    RawCsr csr;
    csr.row_ptr = Buffer<std::int64_t>(std::move(row_ptr));
    csr.col = Buffer<std::int32_t>(std::move(col));
    csr.prob = Buffer<double>(std::move(prob));
    return build_from_csr(raw, csr);
}

CsrArrays as_csr(const Model& model) {
    const ModelView& m = model.view;
    if (m.storage == Storage::csr) return {model.row_ptr, model.col, model.prob};
    std::vector<std::int64_t> row_ptr{0};
    std::vector<std::int32_t> col;
    std::vector<double> prob;
    row_ptr.reserve(static_cast<std::size_t>(m.n_rows) + 1);
    col.reserve(static_cast<std::size_t>(m.n_entries));
    prob.reserve(static_cast<std::size_t>(m.n_entries));
    with_rows(m, [&](const auto& rows) {
        for (std::int64_t r = 0; r < m.n_rows; ++r) {
            rows.each(r, [&](std::int32_t j, double p) {
                col.push_back(j);
                prob.push_back(p);
            });
            row_ptr.push_back(static_cast<std::int64_t>(col.size()));
        }
    });
    return {Buffer<std::int64_t>(std::move(row_ptr)), Buffer<std::int32_t>(std::move(col)),
            Buffer<double>(std::move(prob))};
}

}  // namespace rlt
