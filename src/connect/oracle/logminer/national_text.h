// The argument of UNISTR: \XXXX for a code unit of UTF-16, \\ for a backslash, all else as it is
// (Oracle Database SQL Language Reference, UNISTR).
#pragma once

#include <cstddef>
#include <string_view>

namespace wherry::oracle {

/// Decodes to UTF-8, in which halves of surrogate pairs stay apart until join_surrogates(): a pair
/// may be cut by a concatenation. `out` has room for text.size(); false: an escape that is none.
bool decode_unistr(std::string_view text, char* out, std::size_t& size, bool& has_surrogates);

/// Makes one character of each pair, in place. False: half a pair.
bool join_surrogates(char* text, std::size_t& size);

}  // namespace wherry::oracle
