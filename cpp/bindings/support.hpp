// Threads, instruction sets, random words.
#pragma once

#include "bindings/arrays.hpp"
#include "support/dense_dot.hpp"
#include "support/outward.hpp"
#include "support/parallel.hpp"
#include "support/philox.hpp"

namespace rlt {

inline void bind_support(py::module_& m) {
    m.def("set_threads", &set_thread_count, py::arg("threads"),
          py::doc("Threads a large sweep may use."));
    m.def("threads", &thread_count);
    m.def(
        "set_instruction_set",
        [](const std::string& name) {
            if (!set_instruction_set(name.c_str()))
                throw std::invalid_argument("instruction set '" + name + "' is not available here");
        },
        py::arg("name"), py::doc("'auto', 'generic' or 'avx2'; every choice gives the same bits."));
    m.def("instruction_set", [] { return std::string(instruction_set()); });
    m.def(
        "is_own_memory",
        [](const py::handle& base) { return PyCapsule_IsValid(base.ptr(), memory_name) != 0; },
        py::arg("base"), py::doc("Whether an array's base is immutable memory of the core."));
    m.def(
        "philox_words",
        [](std::uint64_t key0, std::uint64_t key1, std::int64_t count, std::uint64_t first) {
            Philox random(key0, key1, first);
            py::array_t<std::uint64_t> words(count);
            for (std::int64_t i = 0; i < count; ++i) words.mutable_at(i) = random.next();
            return words;
        },
        py::arg("key0"), py::arg("key1"), py::arg("count"), py::arg("first") = 0,
        py::doc("Words first, first + 1, ... of the stream with this key."));
    m.def(
        "dense_dot",
        [](const Array<double>& a, const Array<double>& b) {
            need_size(b, a.size(), "b");
            return dense_dot(a.data(), b.data(), a.size());
        },
        py::arg("a").noconvert(), py::arg("b").noconvert());
    m.def("sum_rounded_down", &sum_rounded_down, py::arg("a"), py::arg("b"), py::arg("c"),
          py::doc("The largest double at most a + b + c."));
    m.def("sum_rounded_up", &sum_rounded_up, py::arg("a"), py::arg("b"), py::arg("c"),
          py::doc("The smallest double at least a + b + c."));
}

}  // namespace rlt
