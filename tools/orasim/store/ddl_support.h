// What the catalog edits share: finding, copying before writing, names, generated names.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/ddl.h"

namespace orasim::ddl {

/// The table to change: a fresh copy is put into the catalog. ORA-00942.
TableDef& edit_table(Catalog&, const std::string& owner, const std::string& name);
/// As edit_table, for a table that is known to be there.
TableDef& edit_table(Catalog&, const TableDef&);
/// Marks a change of columns (and structure), or of structure only.
void mark_layout(Catalog&, TableDef&);
void mark_structure(Catalog&, TableDef&);
/// Older states of the rows cannot be read with the new definition.
void forget_history(Catalog&, TableDef&);

/// ORA-00955 when a table, view, sequence, synonym, procedure, … has the name.
void check_object_name_free(const Catalog&, std::string_view owner, std::string_view name);
void check_index_name_free(const Catalog&, std::string_view owner, std::string_view name);
/// Whether any constraint in the schema has the name.
bool constraint_name_taken(const Catalog&, std::string_view owner, std::string_view name);
/// ORA-00904.
ColumnDef& column_of(TableDef&, const std::string& name);
[[noreturn]] void throw_invalid_identifier(const std::string& name);

std::string take_constraint_name(Catalog&);
std::uint32_t take_object_id(Catalog&);

/// `visit` each foreign key that refers to the table, own ones too, until it returns false.
void visit_references(
    const Catalog&, std::string_view owner, std::string_view table,
    const std::function<bool(const TableDef& child, const ConstraintDef&)>& visit);

// ddl_constraint.cpp
/// Adds to a table that may not be in the catalog yet.
void add_constraint(Catalog&, TableDef&, ConstraintDef);
void recompute_nullability(TableDef&);
/// Takes the constraint and, unless kept, the index made for it off the table.
void remove_constraint(TableDef&, std::size_t index, bool keep_index);
void drop_foreign_keys_to(Catalog&, const TableDef& parent, const std::string& constraint);

// ddl_sequence.cpp
SequenceDef make_sequence(Catalog&, const std::string& owner, const std::string& name,
                          const SequenceOptions&);

// ddl_alter.cpp
/// Appends a column: slot, identity sequence and its NOT NULL.
void add_column(Catalog&, TableDef&, const ColumnSpec&);

}  // namespace orasim::ddl
