#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "simulate/row_sampler.hpp"

namespace rlt {

namespace {

// A sampler with the model whose arrays it may point into.
struct HeldSampler {
    ModelHandle model;
    RowSampler sampler;

    explicit HeldSampler(ModelHandle m) : model(std::move(m)), sampler(model->view) {}
};

Array<std::int32_t> draw_rows(const HeldSampler& held, const Array<std::int64_t>& rows,
                              std::uint64_t key0, std::uint64_t key1, std::uint64_t first) {
    const RowSampler& sampler = held.sampler;
    const std::int64_t* row = rows.data();
    for (std::int64_t i = 0; i < rows.size(); ++i)
        if (row[i] < 0 || row[i] >= sampler.n_rows())
            throw std::invalid_argument("there is no row " + std::to_string(row[i]));
    Array<std::int32_t> next(rows.size());
    std::int32_t* out = next.mutable_data();
    const std::int64_t count = rows.size();
    const py::gil_scoped_release release;
    Philox random(key0, key1, first);
    for (std::int64_t i = 0; i < count; ++i) out[i] = sampler.draw(row[i], random.next());
    return next;
}

}  // namespace

void bind_simulate(py::module_& m) {
    py::class_<HeldSampler, std::shared_ptr<HeldSampler>>(
        m, "Sampler", "Alias tables of the rows of a model; a draw takes one word.")
        .def(py::init([](const ModelHandle& model) {
                 const py::gil_scoped_release release;
                 return std::make_shared<HeldSampler>(model);
             }),
             py::arg("model"))
        .def("draw", &draw_rows, py::arg("rows").noconvert(), py::arg("key0"), py::arg("key1"),
             py::arg("first_word"),
             "Next state of each row, or -1 where the run ends; draw i takes word first_word + i.")
        .def(
            "cells",
            [](const HeldSampler& held, std::int64_t row)
                -> Tuple<Array<std::uint64_t>, Array<std::int32_t>, Array<std::int32_t>> {
                const auto& first = held.sampler.first();
                if (first.empty())
                    throw std::invalid_argument("a deterministic model has no table");
                if (row < 0 || row >= held.sampler.n_rows())
                    throw std::invalid_argument("there is no row " + std::to_string(row));
                const std::int64_t from = first[static_cast<std::size_t>(row)];
                const std::int64_t n = first[static_cast<std::size_t>(row) + 1] - from;
                Array<std::uint64_t> split(n);
                Array<std::int32_t> here(n), there(n);
                for (std::int64_t i = 0; i < n; ++i) {
                    const auto& cell = held.sampler.cells()[static_cast<std::size_t>(from + i)];
                    split.mutable_at(i) = cell.split;
                    here.mutable_at(i) = cell.here;
                    there.mutable_at(i) = cell.there;
                }
                return py::make_tuple(split, here, there);
            },
            py::arg("row"), "(split, here, there) of a row's cells.");
}

}  // namespace rlt
