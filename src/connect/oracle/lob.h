// The one implementation of Lob.
#pragma once

#include <memory>
#include <string>

#include "connect/oracle/caller.h"
#include "connect/oracle/client.h"
#include "connect/oracle/lob_reader.h"

namespace wherry::oracle {

class LobImpl : public Lob {
 public:
  LobImpl(std::shared_ptr<Caller> caller, OracleType type, CharsetForm form, std::string locator);
  ~LobImpl() override;
  static Result<std::unique_ptr<LobImpl>> create_temporary(const OpContext& context,
                                                           std::shared_ptr<Caller> caller,
                                                           OracleType type, CharsetForm form);

  [[nodiscard]] OracleType type() const override { return type_; }
  [[nodiscard]] CharsetForm form() const override { return form_; }
  [[nodiscard]] bool is_temporary() const override;
  [[nodiscard]] std::string_view locator() const override { return locator_; }
  Result<std::uint64_t> size(OpContext& context) override;
  Result<std::uint64_t> read(OpContext& context, std::uint64_t offset, std::uint64_t amount,
                             const ByteSink& sink) override;
  Result<std::uint64_t> write(OpContext& context, std::uint64_t offset,
                              std::string_view data) override;
  Result<void> trim(OpContext& context, std::uint64_t size) override;

 private:
  Result<std::uint64_t> call(OpContext& context, wire::LobOperation operation, std::uint64_t offset,
                             std::optional<std::uint64_t> amount, wire::ByteView data,
                             const ByteSink& sink);
  Result<std::uint64_t> read_pieces(OpContext& context, std::uint64_t offset, std::uint64_t amount,
                                    const ByteSink& sink);
  Result<void> open_file(OpContext& context);
  [[nodiscard]] LobEncoding encoding() const;

  std::shared_ptr<Caller> caller_;
  OracleType type_;
  CharsetForm form_;
  std::string locator_;
};

/// Bytes of `text` up to which it can be cut without cutting a character; at most `limit`.
std::size_t whole_characters(std::string_view text, std::size_t limit);

}  // namespace wherry::oracle
