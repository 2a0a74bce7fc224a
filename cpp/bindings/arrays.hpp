// Between numpy arrays and the core's buffers. Everything here runs with the GIL held.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/typing.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "model/model.hpp"
#include "support/buffer.hpp"
#include "support/monitor.hpp"

// Signatures are put together by templates, letter by letter: with arrays under short names, the
// bindings compile in four fifths of the time. write_stubs.py puts numpy's names in their place.
namespace pybind11::detail {

template <class T>
constexpr auto name_of_many() {
    if constexpr (std::is_same_v<T, bool>) {
        return const_name("Bools");
    } else {
        constexpr auto bits = const_name<8 * sizeof(T)>() + const_name("s");
        if constexpr (std::is_floating_point_v<T>)
            return const_name("Float") + bits;
        else
            return const_name<std::is_signed_v<T>>("Int", "UInt") + bits;
    }
}

template <class T, int Flags>
    requires std::is_arithmetic_v<T>
struct handle_type_name<array_t<T, Flags>> {
    static constexpr auto name = name_of_many<T>();
};

}  // namespace pybind11::detail

namespace rlt {

namespace py = pybind11;

// A C-contiguous array of exactly this dtype; pair with py::arg().noconvert().
template <class T>
using Array = py::array_t<T, py::array::c_style>;

template <class... T>
using Tuple = py::typing::Tuple<T...>;

using ModelHandle = std::shared_ptr<const Model>;

// The buffer keeps the array alive, and gives it back with the GIL held.
template <class T>
Buffer<T> buffer_of(const Array<T>& array) {
    if (array.size() == 0) return {};
    auto* held = new py::object(array);
    std::shared_ptr<const void> owner(static_cast<const void*>(held), [held](const void*) {
        const py::gil_scoped_acquire gil;
        delete held;
    });
    return {array.data(), array.size(), std::move(owner)};
}

// Tells memory of ours, which never changes, from memory of others behind a capsule.
inline constexpr const char* memory_name = "rltheory.memory";

// A read-only array over the buffer, which it keeps alive.
template <class T>
py::array_t<T> expose(const Buffer<T>& buffer) {
    auto* owner = new std::shared_ptr<const void>(buffer.owner);
    const py::capsule keep(owner, memory_name, [](PyObject* capsule) {
        delete static_cast<std::shared_ptr<const void>*>(
            PyCapsule_GetPointer(capsule, memory_name));
    });
    py::array_t<T> array(buffer.size, buffer.data, keep);
    array.attr("setflags")(py::arg("write") = false);
    return array;
}

inline void need_size(const py::array& array, std::int64_t size, const char* name) {
    if (array.size() != size)
        throw std::invalid_argument(std::string(name) + " has " + std::to_string(array.size()) +
                                    " entries; " + std::to_string(size) + " are needed");
}

// Rows chosen by a policy come from outside: an index out of range must not reach a kernel.
inline void need_rows(const ModelView& m, std::int64_t stage, const std::int64_t* rows) {
    for (std::int64_t s = 0; s < m.n_states; ++s)
        if (rows[s] < m.row_begin(stage, s) || rows[s] >= m.row_end(stage, s))
            throw std::invalid_argument("row " + std::to_string(rows[s]) +
                                        " does not belong to state " + std::to_string(s));
}

// Arguments that several bindings take.
using Doubles = Array<double>;
using Rows = Array<std::int64_t>;

inline void need_discount(double discount) {
    if (!(discount >= 0.0 && discount < 1.0))
        throw std::invalid_argument("the discount must be at least 0 and below 1");
}

// Where the kernel of a stage is: a stationary model has one for all stages.
inline std::int64_t kernel_stage(const ModelView& m, std::int64_t stage) {
    if (stage < 0 || (m.n_stages > 1 && stage >= m.n_stages))
        throw std::invalid_argument("there is no stage " + std::to_string(stage));
    return m.n_stages > 1 ? stage : 0;
}

inline Doubles copy_of(const Doubles& x) {
    Doubles out(x.size());
    std::copy_n(x.data(), x.size(), out.mutable_data());
    return out;
}

// Looks for Ctrl-C at most ten times a second.
inline Monitor python_monitor() {
    using Clock = std::chrono::steady_clock;
    return [last = Clock::now()]() mutable {
        const auto now = Clock::now();
        if (now - last < std::chrono::milliseconds(100)) return;
        last = now;
        const py::gil_scoped_acquire gil;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    };
}

}  // namespace rlt
