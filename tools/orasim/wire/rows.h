// Rows of one cursor as messages 7 and 21. Repeated values of consecutive rows are left out and
// told by a bit vector, also across fetch calls: the encoder lives as long as its execution.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wire/bytes.h"
#include "wire/dialect.h"
#include "wire/request.h"
#include "wire/response.h"
#include "wire/values.h"

namespace orasim::wire {

/// Makes locators for LOB values and ids for cursors put into rows; they must stay usable by later
/// calls.
class LobRegistrar {
 public:
  virtual ~LobRegistrar() = default;
  /// Writes a cursor value as encode_cursor() does.
  virtual void put_cursor(Writer& out, const Value& cursor) = 0;
  /// The 40 locator bytes; the view holds until the next call.
  virtual ByteView locator_for(const Value& lob) = 0;
};

struct RowColumn {
  Codec codec = Codec::kText;
  bool has_trailer = false;  ///< LONG forms: null indicator and return code follow
  bool national = false;     ///< NCLOB
  bool is_blob = false;
  std::string type_oid;        ///< kObject
  std::uint32_t prefetch = 0;  ///< LOB data sent in the row, in bytes or characters
  std::uint32_t room = 0;      ///< of a defined text, in bytes as they are sent; 0: not defined
};
/// `define`: what the client asked the column to be sent as; nullptr for the described form.
RowColumn row_column(const ColumnShape& described, const TypeSpec* define);
/// A locator in a row must be defined first by clients that want sizes with it.
inline bool is_lob(std::uint8_t type) {
  return type == 112 || type == 113 || type == 119 || type == 127;
}

class RowEncoder {
 public:
  RowEncoder(std::vector<RowColumn> columns, bool compress, const Dialect& = {});

  /// A new response: the clients' notion of "vector in force" ends.
  void begin_response() { vector_in_force_ = false; }
  void encode(Writer& out, const Row& row, LobRegistrar& lobs);

 private:
  void encode_columns(Writer& out, const Row& row, LobRegistrar& lobs, bool record_ends);
  void encode_column(Writer& out, const RowColumn& column, const Value& value, LobRegistrar& lobs);
  std::size_t find_repeats();
  void write_vector(Writer& out, std::size_t repeated);
  void write_kept(Writer& out, std::size_t repeated);

  std::vector<RowColumn> columns_;
  bool compress_;
  bool has_previous_ = false;
  bool vector_in_force_ = false;
  Writer current_, previous_;
  std::vector<std::size_t> ends_, previous_ends_;  // where each column of a row ends
  std::vector<bool> repeated_;
};

/// One JSON or VECTOR value in a row; shared with out binds.
void encode_document(Writer& out, const Value& value);
/// The same of an object, a collection or XMLTYPE.
void encode_object(Writer& out, std::string_view type_oid, const Value& value, LobRegistrar& lobs);
/// One LOB column value in a row; shared with out binds.
void encode_lob(Writer& out, const RowColumn& column, const Value& value, LobRegistrar& lobs);

}  // namespace orasim::wire
