// What DBMS_PICKLER.GET_TYPE_SHAPE tells drivers of a type, so that they can read its images.
// Facts: the calls and readers of python-oracledb and node-oracledb in thin mode.
#pragma once

#include <string>
#include <vector>

#include "engine/session.h"

namespace orasim {

/// The type descriptor segment: the types of the attributes or elements in codes.
std::string type_segment(const ObjectType& type);
/// A cursor over the attributes by name; none for collections.
CursorRef attribute_cursor(const ObjectType& type);

}  // namespace orasim
