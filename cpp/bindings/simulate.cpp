#include "bindings/arrays.hpp"
#include "bindings/module.hpp"
#include "simulate/episodes.hpp"
#include "simulate/normal.hpp"

namespace rlt {

namespace {

// A sampler with the model whose arrays it may point into.
struct HeldSampler {
    ModelHandle model;
    RowSampler sampler;

    explicit HeldSampler(ModelHandle m) : model(std::move(m)), sampler(model->view) {}
};

Array<std::int32_t> draw_next(const HeldSampler& held, const Array<std::int64_t>& rows,
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

// A model with the law of its rewards, ready to be drawn from.
struct Simulator {
    ModelHandle model;
    RowSampler rows;
    RewardSampler rewards;

    Simulator(ModelHandle m, RewardKind kind, double parameter, const double* values,
              const double* probabilities, std::int64_t size)
        : model(std::move(m)),
          rows(model->view),
          rewards(*model, kind, parameter, values, probabilities, size) {}
};

RewardKind reward_kind(const std::string& name) {
    if (name == "stated") return RewardKind::stated;
    if (name == "bernoulli") return RewardKind::bernoulli;
    if (name == "gaussian") return RewardKind::gaussian;
    if (name == "atoms") return RewardKind::atoms;
    throw std::invalid_argument("the reward law '" + name + "' is unknown");
}

std::shared_ptr<Simulator> simulator(const ModelHandle& model, const std::string& law,
                                     double parameter, const Array<double>& values,
                                     const Array<double>& probabilities) {
    const RewardKind kind = reward_kind(law);
    if (kind == RewardKind::bernoulli && !(parameter > 0.0))
        throw std::invalid_argument("the scale of Bernoulli rewards must be positive");
    std::int64_t size = 0;
    if (kind == RewardKind::atoms) {
        size = values.size() / model->view.n_rows;
        if (size < 1) throw std::invalid_argument("a law of atoms needs one value a row");
        need_size(values, size * model->view.n_rows, "values");
        need_size(probabilities, values.size(), "probabilities");
    }
    const py::gil_scoped_release release;
    return std::make_shared<Simulator>(model, kind, parameter, values.data(), probabilities.data(),
                                       size);
}

using KeyWords = Array<std::uint64_t>;

Key key_of(const KeyWords& keys, int stream) {
    return {keys.data()[2 * stream], keys.data()[2 * stream + 1]};
}

// The keys of transitions and rewards, as an array of four words.
Streams streams_of(const KeyWords& keys, std::uint64_t from) {
    need_size(keys, 4, "keys");
    return {key_of(keys, 0), key_of(keys, 1), from};
}

Tuple<Array<std::int32_t>, Array<double>> sample_rows(const Simulator& x,
                                                      const Array<std::int64_t>& rows,
                                                      const KeyWords& keys, std::uint64_t from) {
    const Streams streams = streams_of(keys, from);
    const std::int64_t count = rows.size();
    for (std::int64_t i = 0; i < count; ++i)
        if (rows.data()[i] < 0 || rows.data()[i] >= x.rows.n_rows())
            throw std::invalid_argument("there is no row " + std::to_string(rows.data()[i]));
    Array<std::int32_t> next(count);
    Array<double> reward(count);
    auto* const next_out = next.mutable_data();
    auto* const reward_out = reward.mutable_data();
    {
        const py::gil_scoped_release release;
        draw_rows(x.rows, x.rewards, streams, rows.data(), count, next_out, reward_out);
    }
    return py::make_tuple(next, reward);
}

Tuple<std::int32_t, double> sample_one(const Simulator& x, std::int64_t row, const KeyWords& keys,
                                       std::uint64_t word) {
    if (row < 0 || row >= x.rows.n_rows())
        throw std::invalid_argument("there is no row " + std::to_string(row));
    const Streams streams = streams_of(keys, word);
    std::int32_t next;
    double reward;
    draw_rows(x.rows, x.rewards, streams, &row, 1, &next, &reward);
    return py::make_tuple(next, reward);
}

Tuple<Array<std::int64_t>, Array<std::int32_t>, Array<std::int64_t>, Array<double>> sample_counts(
    const Simulator& x, std::int64_t n, const KeyWords& keys, std::uint64_t from) {
    if (n < 1) throw std::invalid_argument("there must be at least one draw");
    if (n > (std::int64_t{1} << 56) / x.rows.n_rows())
        throw std::invalid_argument("there must be at most 2^56 draws in all");
    const Streams streams = streams_of(keys, from);
    const Monitor monitor = python_monitor();
    NextCounts found;
    {
        const py::gil_scoped_release release;
        found = draw_every_row(x.rows, x.rewards, streams, x.model->view.n_states, n, monitor);
    }
    return py::make_tuple(expose(Buffer<std::int64_t>(std::move(found.row_ptr))),
                          expose(Buffer<std::int32_t>(std::move(found.col))),
                          expose(Buffer<std::int64_t>(std::move(found.count))),
                          expose(Buffer<double>(std::move(found.reward_sum))));
}

Tuple<Array<std::int32_t>, Array<std::int32_t>, Array<double>, Array<std::int32_t>,
      Array<std::int64_t>>
sample_episodes_of(const Simulator& x, const HeldSampler& start, const Array<std::int64_t>& rows,
                   const Array<double>& weights, const Array<std::int64_t>& episodes,
                   std::int64_t steps, const KeyWords& keys) {
    const ModelView& m = x.model->view;
    if (steps < 1) throw std::invalid_argument("an episode has at least one step");
    if (m.n_stages > 1 && steps > m.n_stages)
        throw std::invalid_argument("the model has fewer stages than steps");
    if (start.model->view.n_states != m.n_states || start.sampler.n_rows() < 1)
        throw std::invalid_argument("the start law is that of another model");
    need_size(keys, 8, "keys");
    const bool actions = rows.size() > 0;
    const std::int64_t one = actions ? m.n_states : m.stage_rows(0);
    const std::int64_t given = actions ? rows.size() : weights.size();
    const bool of_stages = m.n_stages == 1;  // one set of rows: a policy may still change
    MarkovPolicy policy;
    if (actions) {
        if (given != one || !of_stages) need_size(rows, one * steps, "rows");
        policy.row = rows.data();
        policy.stage_step = given == one ? 0 : one;
        for (std::int64_t h = 0; h < (given == one ? 1 : steps); ++h)
            need_rows(m, of_stages ? 0 : h, rows.data() + h * one);
    } else {
        if (of_stages && given != one) need_size(weights, one * steps, "weights");
        if (!of_stages) need_size(weights, m.n_rows, "weights");
        policy.weight = weights.data();
        policy.stage_step = of_stages && given != one ? one : 0;
    }
    for (std::int64_t i = 0; i < episodes.size(); ++i)
        if (episodes.data()[i] < 0) throw std::invalid_argument("episodes count from 0");
    const EpisodeKeys of{key_of(keys, 0), key_of(keys, 1), key_of(keys, 2), key_of(keys, 3)};
    const Monitor monitor = python_monitor();
    Episodes found;
    {
        const py::gil_scoped_release release;
        found = sample_episodes(*x.model, x.rows, x.rewards, start.sampler, policy, of,
                                episodes.data(), episodes.size(), steps, monitor);
    }
    return py::make_tuple(expose(Buffer<std::int32_t>(std::move(found.state))),
                          expose(Buffer<std::int32_t>(std::move(found.action))),
                          expose(Buffer<double>(std::move(found.reward))),
                          expose(Buffer<std::int32_t>(std::move(found.final_state))),
                          expose(Buffer<std::int64_t>(std::move(found.length))));
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
        .def("draw", &draw_next, py::arg("rows").noconvert(), py::arg("key0"), py::arg("key1"),
             py::arg("first_word"),
             py::doc("Next state of each row, or -1 where the run ends; draw i takes word "
                     "first_word + i."))
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
            py::arg("row"), py::doc("(split, here, there) of a row's cells."));
    py::class_<Simulator, std::shared_ptr<Simulator>>(
        m, "Simulator", "A model with the law of its rewards, ready to be drawn from.")
        .def(py::init(&simulator), py::arg("model"), py::arg("law"), py::arg("parameter"),
             py::arg("values").noconvert(), py::arg("probabilities").noconvert(),
             py::doc("The law is 'stated', 'bernoulli', 'gaussian' or 'atoms'."))
        .def("rows", &sample_rows, py::arg("rows").noconvert(), py::arg("keys").noconvert(),
             py::arg("first_word"),
             py::doc("(next states, rewards); draw i takes word first_word + i of both streams."))
        .def("row", &sample_one, py::arg("row"), py::arg("keys").noconvert(), py::arg("word"),
             py::doc("(next state, reward) of one draw."))
        .def("counts", &sample_counts, py::arg("n"), py::arg("keys").noconvert(),
             py::arg("first_word"),
             py::doc("(row_ptr, next state, how often, sum of rewards) of n draws of every row."))
        .def(
            "episodes", &sample_episodes_of, py::arg("start"), py::arg("rows").noconvert(),
            py::arg("weights").noconvert(), py::arg("episodes").noconvert(), py::arg("steps"),
            py::arg("keys").noconvert(),
            py::doc("(states, actions, rewards, final states, lengths); one of rows and weights is "
                    "empty."));
    m.def(
        "normal_quantile",
        [](double p) {
            if (!(p > 0.0 && p < 1.0)) throw std::invalid_argument("p must be between 0 and 1");
            return normal_quantile(p);
        },
        py::arg("p"));
    m.def(
        "standard_normal",
        [](std::uint64_t word) {
            return standard_normal(static_cast<double>(word >> 11) * 0x1.0p-53);
        },
        py::arg("word"), py::doc("The normal number that a word gives."));
}

}  // namespace rlt
