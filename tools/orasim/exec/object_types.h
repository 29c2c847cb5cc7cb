// CREATE TYPE and the names of types: what a declared type means in a catalog of some generation.
#pragma once

#include <memory>
#include <string>

#include "exec/ast.h"
#include "exec/types.h"
#include "store/store.h"

namespace orasim {

class Parser;

/// The definition behind CREATE TYPE name: AS OBJECT (…), VARRAY (n) OF t, TABLE OF t. nullptr for
/// a type that is only announced, or derived from another.
std::shared_ptr<const ObjectType> parse_type_definition(Parser& parser, const Catalog& catalog,
                                                        const std::string& owner,
                                                        const std::string& name,
                                                        const Release& release);

/// Makes a declared type usable: fills in a type by name, and refuses with ORA-00902 what does not
/// exist, or not yet in this release; ORA-00910 for a length that it does not allow.
void resolve_type(DataType& type, const Catalog& catalog, const std::string& current_schema,
                  const Release& release, int position);

/// nullptr: no such type.
std::shared_ptr<const ObjectType> find_object_type(const Catalog& catalog,
                                                   const std::string& current_schema,
                                                   const ast::Name& name);

}  // namespace orasim
