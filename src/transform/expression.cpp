#include "transform/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "transform/sqlite.h"
#include "transform/sqlite_values.h"
#include "transform/variables.h"

namespace wherry::transform {
namespace {

/// Of the functions whose result differs from call to call.
constexpr std::array<std::string_view, 11> kChanging = {
    "random",   "randomblob", "date",         "time",         "datetime",         "julianday",
    "strftime", "unixepoch",  "current_date", "current_time", "current_timestamp"};

Error bad_expression(std::string why, std::string hint, std::string_view expression) {
  return make_error(ErrorKind::kConfig, "mapping.expression", std::move(why), std::move(hint))
      .with("expression", std::string(expression));
}

/// "$NAME" as SQLite has it; the number of parameters comes from SQLite and begins at 1.
Result<std::string> parameter_name(sqlite3_stmt& statement, int parameter,
                                   std::string_view expression) {
  const char* const name = sqlite3_bind_parameter_name(&statement, parameter);
  const std::string_view text = name == nullptr ? "?" : name;
  if (text.front() == '$' && text.size() > 1 &&
      text.find_first_of("(:") == std::string_view::npos) {
    return std::string(text.substr(1));
  }
  return bad_expression("the expression has the variable " + std::string(text) +
                            ", and only $NAME stands for a value",
                        "Write $ and the column's name, in the case the source has it", expression);
}

void add_once(std::vector<std::string>& list, std::string name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(std::move(name));
}

int bind_text(sqlite3_stmt& statement, int parameter, const std::string& text) {
  return sqlite3_bind_text64(&statement, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                             SQLITE_UTF8);
}

}  // namespace

Result<ExpressionNeeds> needs_of(std::string_view expression) {
  const Operation operation = Operation::kInsert;
  WHERRY_ASSIGN(const SqliteDatabase database, open_sqlite(operation));
  std::vector<std::string> functions;
  WHERRY_ASSIGN(const SqliteStatement statement,
                prepare_expression(*database, expression, functions));
  ExpressionNeeds out;
  for (const std::string& function : functions) {
    out.flags_deletes = out.flags_deletes || function == "operation_indicator";
    const bool changes = std::find(kChanging.begin(), kChanging.end(), function) != kChanging.end();
    out.is_repeatable = out.is_repeatable && !changes;
  }
  if (out.flags_deletes) out.is_repeatable = false;
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement.get()); ++i) {
    WHERRY_ASSIGN(std::string name, parameter_name(*statement, i, expression));
    const auto variable = find_variable(name);
    if (!variable && name.starts_with("AR_")) {
      return bad_expression("the variable $" + name + " does not exist",
                            "Known are $AR_H_STREAM_POSITION, $AR_H_TIMESTAMP, "
                            "$AR_H_COMMIT_TIMESTAMP, $AR_H_OPERATION, $AR_H_USER, "
                            "$AR_H_CHANGE_SEQ, $AR_M_SOURCE_SCHEMA, $AR_M_SOURCE_TABLE_NAME, "
                            "$AR_M_SOURCE_COLUMN_NAME, $AR_M_SOURCE_COLUMN_DATATYPE",
                            expression);
    }
    if (!variable) {
      add_once(out.columns, std::move(name));
    } else if (is_of_header(*variable)) {
      out.is_repeatable = false;
      out.asks_user = out.asks_user || *variable == Variable::kUser;
    } else if (*variable == Variable::kColumn || *variable == Variable::kDataType) {
      out.is_of_column = true;
    }
  }
  return out;
}

Result<std::string> evaluate_name(std::string_view expression, const ExpressionSubject& subject) {
  const Operation operation = Operation::kInsert;
  WHERRY_ASSIGN(const SqliteDatabase database, open_sqlite(operation));
  std::vector<std::string> functions;
  WHERRY_ASSIGN(const SqliteStatement statement,
                prepare_expression(*database, expression, functions));
  for (int i = 1; i <= sqlite3_bind_parameter_count(statement.get()); ++i) {
    WHERRY_ASSIGN(const std::string name, parameter_name(*statement, i, expression));
    const auto variable = find_variable(name);
    if (!variable || is_of_header(*variable)) {
      return bad_expression("an expression that makes a name asks for $" + name,
                            "A name can be made of $AR_M_SOURCE_SCHEMA, $AR_M_SOURCE_TABLE_NAME "
                            "and $AR_M_SOURCE_COLUMN_NAME",
                            expression);
    }
    bind_text(*statement, i, value_of(*variable, subject, {}));
  }
  const bool has_value = sqlite3_step(statement.get()) == SQLITE_ROW &&
                         sqlite3_column_type(statement.get(), 0) != SQLITE_NULL;
  std::string name;
  if (has_value) {
    Arena arena;
    const Cell cell = cell_of_result(*statement, {schema::TypeKind::kText}, arena);
    name = cell.bytes();
  }
  if (!name.empty()) return name;
  return bad_expression(std::string("the expression makes no name") +
                            (has_value ? "" : std::string(": ") + sqlite3_errmsg(database.get())),
                        "Let it give a text that is not empty", expression)
      .with("table", subject.schema + "." + subject.table);
}

struct Expressions::Parts {
  /// What a parameter of a statement is bound to.
  struct Parameter {
    std::optional<Variable> variable;
    std::size_t used = 0;  ///< index into Parts::used
  };
  struct Item {
    SqliteStatement statement;
    std::vector<Parameter> parameters;
    schema::LogicalType type;
  };

  Operation operation = Operation::kInsert;
  SqliteDatabase database;  ///< before the statements, which must go first
  ExpressionSubject subject;
  std::vector<Item> items;
  std::vector<std::size_t> used;
  std::vector<std::string> names;          ///< by used
  std::vector<schema::LogicalType> types;  ///< by used

  /// SQLite's status; SQLITE_ABORT: a value is not known.
  int bind(Item& item, std::span<const Cell* const> cells, const RowHeader& header,
           std::string& unknown);
  Cell compute(Item& item, std::span<const Cell* const> cells, const RowHeader& header,
               Arena& arena);
};

int Expressions::Parts::bind(Item& item, std::span<const Cell* const> cells,
                             const RowHeader& header, std::string& unknown) {
  int status = SQLITE_OK;
  for (std::size_t i = 0; i < item.parameters.size() && status == SQLITE_OK; ++i) {
    const Parameter& parameter = item.parameters[i];
    const int number = static_cast<int>(i) + 1;
    if (parameter.variable) {
      status = bind_text(*item.statement, number, value_of(*parameter.variable, subject, header));
      continue;
    }
    const Cell* const cell = cells[parameter.used];
    if (cell == nullptr || (cell->state != CellState::kSet && !cell->is_null())) {
      const bool is_spilled = cell != nullptr && cell->state == CellState::kSpilled;
      unknown = fmt::format("the expression asks for column {}, {}", names[parameter.used],
                            is_spilled ? "whose value is too large for it"
                                       : "whose value the source's log does not have");
      return SQLITE_ABORT;
    }
    status = bind_cell(*item.statement, number, *cell, types[parameter.used]);
  }
  return status;
}

Cell Expressions::Parts::compute(Item& item, std::span<const Cell* const> cells,
                                 const RowHeader& header, Arena& arena) {
  std::string why;
  const int bound = bind(item, cells, header, why);
  if (bound == SQLITE_ABORT) return unreadable_cell(why, arena);
  const int status = bound == SQLITE_OK ? sqlite3_step(item.statement.get()) : bound;
  Cell out = status == SQLITE_ROW
                 ? cell_of_result(*item.statement, item.type, arena)
                 : unreadable_cell(std::string("the expression cannot be computed: ") +
                                       sqlite3_errmsg(database.get()),
                                   arena);
  sqlite3_reset(item.statement.get());
  return out;
}

Expressions::Expressions(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Expressions::~Expressions() = default;

Result<std::unique_ptr<Expressions>> Expressions::make(const ExpressionSubject& subject,
                                                       const std::vector<Item>& items,
                                                       const std::vector<Column>& columns) {
  auto parts = std::make_unique<Parts>();
  parts->subject = subject;
  WHERRY_ASSIGN(parts->database, open_sqlite(parts->operation));
  std::map<std::size_t, std::vector<std::pair<std::size_t, std::size_t>>> places;  // by column
  for (const Item& item : items) {
    std::vector<std::string> functions;
    Parts::Item& made = parts->items.emplace_back();
    made.type = item.type;
    WHERRY_ASSIGN(made.statement, prepare_expression(*parts->database, item.expression, functions));
    for (int i = 1; i <= sqlite3_bind_parameter_count(made.statement.get()); ++i) {
      WHERRY_ASSIGN(const std::string name, parameter_name(*made.statement, i, item.expression));
      Parts::Parameter& parameter = made.parameters.emplace_back();
      parameter.variable = find_variable(name);
      if (parameter.variable) continue;
      const auto found = std::find_if(columns.begin(), columns.end(),
                                      [&](const Column& column) { return column.name == name; });
      if (found == columns.end()) {
        return bad_expression("the expression asks for column " + name + ", which does not exist",
                              "Correct the name; names are compared exactly", item.expression);
      }
      places[static_cast<std::size_t>(found - columns.begin())].emplace_back(
          parts->items.size() - 1, made.parameters.size() - 1);
    }
  }
  for (const auto& [column, uses] : places) {
    for (const auto& [item, parameter] : uses) {
      parts->items[item].parameters[parameter].used = parts->used.size();
    }
    parts->used.push_back(column);
    parts->names.push_back(columns[column].name);
    parts->types.push_back(columns[column].type);
  }
  return std::unique_ptr<Expressions>(new Expressions(std::move(parts)));
}

const std::vector<std::size_t>& Expressions::used() const {
  return parts_->used;
}

void Expressions::evaluate(std::span<const Cell* const> cells, const RowHeader& header, Cell* out,
                           Arena& arena) {
  parts_->operation = header.operation;
  for (Parts::Item& item : parts_->items) *out++ = parts_->compute(item, cells, header, arena);
}

}  // namespace wherry::transform
