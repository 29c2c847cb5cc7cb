#include "connect/postgres/pipeline.h"

#include <libpq-fe.h>

#include <charconv>
#include <vector>

#include "connect/postgres/errors.h"
#include "connect/postgres/wire/copy_buffer.h"

namespace wherry::postgres {
namespace {

constexpr int kBinary = 1;

}  // namespace

Pipeline::Pipeline(Connection& connection) : connection_(connection) {
  PQenterPipelineMode(connection_.connection_.get());
}

Result<void> Pipeline::sent(OpContext& context, bool is_sent) {
  if (!is_sent) return error_of_connection(connection_.connection_.get(), "cannot send", false);
  ++count_;
  return connection_.flush(context);
}

Result<void> Pipeline::prepare(OpContext& context, const std::string& name,
                               const std::string& sql) {
  return sent(context, PQsendPrepare(connection_.connection_.get(), name.c_str(), sql.c_str(), 0,
                                     nullptr) == 1);
}

Result<void> Pipeline::execute(OpContext& context, const std::string& name,
                               std::span<const std::string_view> parameters) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string_view parameter : parameters) {
    values.push_back(parameter.data());
    lengths.push_back(static_cast<int>(parameter.size()));
  }
  const std::vector<int> formats(parameters.size(), kBinary);
  return sent(context, PQsendQueryPrepared(connection_.connection_.get(), name.c_str(),
                                           static_cast<int>(values.size()), values.data(),
                                           lengths.data(), formats.data(), kBinary) == 1);
}

Result<void> Pipeline::run(OpContext& context, const std::string& sql) {
  return sent(context, PQsendQueryParams(connection_.connection_.get(), sql.c_str(), 0, nullptr,
                                         nullptr, nullptr, nullptr, kBinary) == 1);
}

Result<void> Pipeline::finish(OpContext& context, std::string_view action, const Reader& reader) {
  PGconn* c = connection_.connection_.get();
  if (PQpipelineSync(c) != 1) return error_of_connection(c, action, false);
  WHERRY_TRY(connection_.flush(context));
  Result<void> outcome;
  for (std::size_t at = 0;;) {
    WHERRY_ASSIGN(const auto result, connection_.next_result(context));
    if (result == nullptr) {  // between two answers, or the connection is gone
      if (PQstatus(c) != CONNECTION_OK) return error_of_connection(c, action, false);
      continue;
    }
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_PIPELINE_SYNC) break;
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
      if (outcome.ok()) {
        // A session that the server ends may fail in the end mark.
        if (at < count_) failed_ = at;
        outcome = error_of_result(result.get(), action);
      }
      if (PQstatus(c) != CONNECTION_OK) return outcome;
    } else if (outcome.ok() && at < count_) {
      reader(at, Answer(result.get()));
    }
    ++at;
  }
  PQexitPipelineMode(c);
  return outcome;
}

std::uint64_t Pipeline::Answer::affected_rows() const {
  const std::string_view digits = PQcmdTuples(const_cast<PGresult*>(result_));
  std::uint64_t rows = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  return rows;
}

int Pipeline::Answer::count() const {
  return PQntuples(result_);
}

std::int64_t Pipeline::Answer::big_integer(int row) const {
  return static_cast<std::int64_t>(wire::load_u64(PQgetvalue(result_, row, 0)));
}

}  // namespace wherry::postgres
