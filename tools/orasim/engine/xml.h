// Whether a text is well-formed XML, as XMLTYPE wants it. Nothing is validated or resolved.
#pragma once

#include <string_view>

namespace orasim {

/// ORA-31011 when it is not one element, with what XML allows around it.
void check_xml(std::string_view text);

}  // namespace orasim
