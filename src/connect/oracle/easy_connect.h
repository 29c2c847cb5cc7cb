// Easy Connect [Plus]: "[[tcp|tcps:]//]host[,host…][:port][;…]/service[:server][/instance]
// [?name=value&…]" to the descriptor it stands for.
#pragma once

#include <string_view>

#include "connect/oracle/nv_tree.h"
#include "core/result.h"

namespace wherry::oracle {

/// A DESCRIPTION. kConfig "oracle.connect_string" says what is wrong.
Result<NvNode> parse_easy_connect(std::string_view text);

}  // namespace wherry::oracle
