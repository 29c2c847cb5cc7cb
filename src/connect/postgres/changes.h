// The stream of changes of a PostgreSQL source, from its slot through pgoutput.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "connect/api/changes.h"
#include "connect/postgres/settings.h"
#include "connect/postgres/wire/pgoutput.h"

namespace wherry::postgres {

struct StreamNames {
  std::string slot, publication;
  /// The publication's tables by OID, as they were published: one that was renamed since is found.
  std::map<std::uint32_t, schema::TableRef> tables;
  bool is_own = false;  ///< the publication has tables of the task only
};
std::unique_ptr<connect::ChangeStream> make_change_stream(ConnectionSettings settings,
                                                          connect::StreamRequest request,
                                                          StreamNames names);

/// A commit's order is where its record begins, so all before `lsn` are at or below this.
constexpr connect::CommitOrder order_before(wire::Lsn lsn) {
  return lsn == 0 ? 0 : lsn - 1;
}

}  // namespace wherry::postgres
