// The open cursors of one session: parsed statements with what the wire needs to remember of them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/session.h"
#include "wire/request.h"
#include "wire/response.h"
#include "wire/rows.h"

namespace orasim::server {

/// The rows of a scrollable cursor: those that came stay.
class ScrolledRows : public RowStream {
 public:
  explicit ScrolledRows(std::unique_ptr<RowStream> source) : source_(std::move(source)) {}
  bool next(Row& row) override;
  /// The row that comes next, from 1; 0: the last one. Gives the rows before it.
  std::uint64_t seek(std::uint64_t position);

 private:
  bool read_one();

  std::unique_ptr<RowStream> source_;
  std::vector<Row> rows_;
  std::size_t at_ = 0;
};

struct Cursor {
  std::uint32_t id = 0;
  std::unique_ptr<Statement> statement;
  wire::CursorShape shape;
  std::uint8_t sql_type = 0;
  std::vector<wire::ColumnShape> columns;  ///< queries
  std::vector<wire::TypeSpec> defines;     ///< empty until the client sent some

  // Of the running execution; the stream goes before the statement.
  std::unique_ptr<RowStream> rows;
  ScrolledRows* scrolled = nullptr;  ///< `rows` of a scrollable cursor, which outlive their end
  std::unique_ptr<wire::RowEncoder> encoder;
  std::uint64_t rows_fetched = 0;
  bool compress = true;
  std::vector<std::uint32_t> children;  ///< cursors that came in its rows; they end with it

  [[nodiscard]] bool returns_values() const;  ///< DML with RETURNING … INTO
  [[nodiscard]] bool has_lobs() const;
  void make_encoder(const wire::Dialect&);
};

class CursorTable : public wire::CursorShapes {
 public:
  static constexpr std::size_t kMaxOpen = 300;

  /// A new cursor. Throws OraError(1000) beyond the limit.
  Cursor& open();
  /// Throws OraError(1001) for an id that is not open.
  Cursor& get(std::uint32_t id);
  void close(std::uint32_t id);
  /// Closes the cursors in the rows of a cursor.
  void close_children(Cursor& cursor);
  [[nodiscard]] const wire::CursorShape* shape_of(std::uint32_t id) const override;

 private:
  std::map<std::uint32_t, Cursor> cursors_;
  std::uint32_t last_id_ = 0;
};

/// The number a status message gives a statement's kind (OCI's SQL command codes).
std::uint8_t sql_command(std::string_view sql);

}  // namespace orasim::server
