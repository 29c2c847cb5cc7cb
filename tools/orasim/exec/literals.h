// DATE '…', TIMESTAMP '…' and INTERVAL '…' literals. `pos` is for errors.
#pragma once

#include <string>

#include "engine/value.h"

namespace orasim {

Value parse_date_literal(const std::string& text, int pos);
Value parse_timestamp_literal(const std::string& text, int pos);
/// INTERVAL '…' field [TO last]; `last` is empty without TO.
Value parse_interval_literal(const std::string& text, const std::string& field,
                             const std::string& last, const DataType& type, int pos);

}  // namespace orasim
