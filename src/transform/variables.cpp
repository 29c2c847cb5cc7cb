#include "transform/variables.h"

#include <array>
#include <utility>

#include "core/time_text.h"

namespace wherry::transform {
namespace {

constexpr std::array<std::pair<std::string_view, Variable>, 10> kVariables = {
    {{"AR_H_STREAM_POSITION", Variable::kStreamPosition},
     {"AR_H_TIMESTAMP", Variable::kTime},
     {"AR_H_COMMIT_TIMESTAMP", Variable::kCommitTime},
     {"AR_H_OPERATION", Variable::kOperation},
     {"AR_H_USER", Variable::kUser},
     {"AR_H_CHANGE_SEQ", Variable::kChangeSequence},
     {"AR_M_SOURCE_SCHEMA", Variable::kSchema},
     {"AR_M_SOURCE_TABLE_NAME", Variable::kTable},
     {"AR_M_SOURCE_COLUMN_NAME", Variable::kColumn},
     {"AR_M_SOURCE_COLUMN_DATATYPE", Variable::kDataType}}};

/// "2024-05-01 10:11:12.1234567": DATETIME(7).
std::string header_time(std::int64_t micros) {
  std::array<char, kTimeTextBytes> room{};
  return {room.data(), format_timestamp(room.data(), micros, 0, 7)};
}

std::string_view name_of(Operation operation) {
  switch (operation) {
    case Operation::kInsert:
      return "INSERT";
    case Operation::kUpdate:
      return "UPDATE";
    case Operation::kDelete:
      return "DELETE";
  }
  return {};
}

}  // namespace

std::optional<Variable> find_variable(std::string_view name) {
  for (const auto& [known, variable] : kVariables) {
    if (known == name) return variable;
  }
  return std::nullopt;
}

std::string value_of(Variable variable, const ExpressionSubject& subject, const RowHeader& header) {
  switch (variable) {
    case Variable::kStreamPosition:
      return header.stream_position;
    case Variable::kTime:
      return header_time(header.time_us);
    case Variable::kCommitTime:
      return header_time(header.commit_time_us);
    case Variable::kOperation:
      return std::string(name_of(header.operation));
    case Variable::kUser:
      return header.user;
    case Variable::kChangeSequence:
      return header.change_sequence;
    case Variable::kSchema:
      return subject.schema;
    case Variable::kTable:
      return subject.table;
    case Variable::kColumn:
      return subject.column;
    case Variable::kDataType:
      return subject.data_type;
  }
  return {};
}

}  // namespace wherry::transform
