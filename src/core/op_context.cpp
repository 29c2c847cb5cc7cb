#include "core/op_context.h"

namespace wherry {

Error cancelled_error() {
  return make_error(ErrorKind::kCancelled, "core.cancelled", "stopped as requested",
                    "Start the task again with the same --state directory to go on");
}

}  // namespace wherry
