// What rows of V$LOGMNR_CONTENTS a record of redo becomes: one, or several where LOBs and XML are
// written apart from their row.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "exec/logminer_reader.h"
#include "exec/logminer_text.h"

namespace orasim::logminer {

struct ContentsRow {
  int code = 0;
  const char* operation = "INTERNAL";
  std::string owner, table;
  std::string row_id;  ///< text; 18 A: none
  std::string sql_redo, sql_undo;
  int status = 0;
  std::string info;
  int sequence = 1;  ///< within the record
};

inline constexpr const char* kNoRowId = "AAAAAAAAAAAAAAAAAA";

class RowMaker {
 public:
  /// `is_lob_block`: LOB rows hold a whole block each, as 23ai has them; else a row of its own
  /// selects the locator.
  RowMaker(std::shared_ptr<const Catalog> catalog, const TextOptions& text, bool has_dictionary,
           bool is_lob_block);
  std::vector<ContentsRow> rows_of(const RedoRecord&);

 private:
  struct Images {
    Row before, after;
  };
  const TableText& table_of(const RedoRecord&);
  std::vector<ContentsRow> change_rows(const RedoRecord&);
  Images images_of(const RedoRecord&) const;
  std::vector<ContentsRow> undo_rows(const RedoRecord&, const TableText&, const Images&);
  void insert_rows(const RedoRecord&, const TableText&, const Images&,
                   std::vector<ContentsRow>& out);
  void update_rows(const RedoRecord&, const TableText&, const Images&,
                   std::vector<ContentsRow>& out);
  void lob_piece_rows(const RedoRecord&, const TableText&, const Images&,
                      std::vector<ContentsRow>& out);
  [[nodiscard]] std::string locator_select(const TableText&, const TableText::Column&,
                                           const std::string& where) const;
  [[nodiscard]] ContentsRow locator_row(const std::string& select) const;
  [[nodiscard]] ContentsRow write_row(const std::string& select, const TableText::Column&,
                                      const std::string& piece, std::size_t offset) const;
  [[nodiscard]] ContentsRow trim_row(const std::string& select, const TableText::Column&,
                                     std::size_t length) const;
  void write_rows(const std::string& select, const TableText::Column&, std::string_view data,
                  std::size_t offset, std::vector<ContentsRow>& out) const;
  void lob_rows(const TableText&, const TableText::Column&, const Row& after,
                const std::string& where, bool trims, std::vector<ContentsRow>& out);
  void xml_rows(const TableText&, const TableText::Column&, const Row& after,
                const std::string& where, std::vector<ContentsRow>& out);
  [[nodiscard]] std::string printed_row_id(const std::string& row_id) const;

  std::shared_ptr<const Catalog> catalog_;
  TextOptions text_;
  bool is_lob_block_;
  std::unordered_map<std::uint32_t, std::shared_ptr<const TableDef>> dictionary_;
  /// By definition, which is kept: another one may come to lie where it was.
  std::unordered_map<std::shared_ptr<const TableDef>, TableText> texts_;
};

}  // namespace orasim::logminer
