// The transactions that are open at a database. Facts: reference oracle-cdc, 11.2 (Oracle Database
// Reference, V$TRANSACTION and V$SESSION).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "connect/oracle/client.h"
#include "connect/oracle/logminer/mined_row.h"

namespace wherry::oracle {

struct OpenTransaction {
  TransactionKey key;
  std::uint64_t start_scn = 0;  ///< 0: the server does not say
  std::string session;          ///< "SID 12, serial 5, user HR", for people
  std::string started;          ///< as the server prints it
};
/// "transaction 5.1.614 (SID 12, serial 5, user HR, since 11/30/26 22:01:09)"
std::string to_text(const OpenTransaction& transaction);

/// Of all instances, but those of recovery. kPermission names the grant.
Result<std::vector<OpenTransaction>> list_open_transactions(OpContext& context, Session& session);

/// Waits until none of `transactions` is open any more. kResource "oracle.transactions_open" names
/// those that are when the time is over.
Result<void> await_end(OpContext& context, Session& session,
                       const std::vector<OpenTransaction>& transactions,
                       std::chrono::seconds patience);

}  // namespace wherry::oracle
