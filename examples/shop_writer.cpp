// Writes to the shop of demo/shop.sql until it gets SIGTERM: about a hundred small transactions a
// second, in which one customer pays another one and orders something. Money moves, and its sum
// never changes; now and then a transaction is taken back.
//
// usage: shop_writer HOST:PORT/SERVICE USER      (password in ORACLE_PASSWORD)
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <iostream>
#include <memory>
#include <random>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "connect/oracle/client.h"

using namespace wherry;          // NOLINT(google-build-using-namespace)
using namespace wherry::oracle;  // NOLINT(google-build-using-namespace)

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPace{10};
constexpr int kCustomers = 20000, kProducts = 2000, kOldOrders = 60000;
constexpr int kRollbackOneOf = 20, kDescriptionOneOf = 50;

std::atomic<bool> must_stop = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

class Shop {
 public:
  explicit Shop(Session& session) : session_(session) {}

  Result<void> sell(OpContext& context) {
    int payer = pick(kCustomers), payee = pick(kCustomers);
    if (payer > payee) std::swap(payer, payee);  // in one order, so that nobody waits for a circle
    const int amount = pick(20);
    WHERRY_TRY(run(context, "update customers set balance = balance - :1 where customer_id = :2",
                   {amount, payer}));
    WHERRY_TRY(run(context, "update customers set balance = balance + :1 where customer_id = :2",
                   {amount, payee}));
    WHERRY_TRY(run(context,
                   "insert into orders values (order_ids.nextval, :1, "
                   "sys_extract_utc(systimestamp), 'NEW', null)",
                   {payer}));
    WHERRY_TRY(run(context,
                   "insert into order_lines values (order_ids.currval, 1, :1, :2, 9.99, null)",
                   {pick(kProducts), pick(9)}));
    WHERRY_TRY(run(context, "update orders set status = 'DONE' where order_id = :1",
                   {pick(kOldOrders)}));
    if (is_one_of(kDescriptionOneOf)) {
      WHERRY_TRY(run(context,
                     "update products set description = rpad('Sold again. ', 3000, 'Popular! ') "
                     "where product_id = :1",
                     {pick(kProducts)}));
    }
    if (is_one_of(kRollbackOneOf)) return session_.rollback(context);
    ++commits_;
    return session_.commit(context);
  }

  [[nodiscard]] std::uint64_t commits() const { return commits_; }

 private:
  /// 1 to `most`.
  int pick(int most) { return std::uniform_int_distribution<int>(1, most)(chooser_); }
  bool is_one_of(int count) { return pick(count) == 1; }

  Result<void> run(OpContext& context, std::string_view sql, std::initializer_list<int> values) {
    std::vector<Bind> binds;
    for (const int value : values) binds.push_back(Bind::number(std::int64_t{value}));
    WHERRY_TRY(session_.execute(context, sql, binds));
    return {};
  }

  Session& session_;
  std::mt19937 chooser_{2026};
  std::uint64_t commits_ = 0;
};

Result<void> run(const char* address, const char* user) {
  ConnectOptions options;
  options.connect_string = address;
  options.user = user;
  const char* const password = std::getenv("ORACLE_PASSWORD");
  options.password = Secret(password != nullptr ? password : "");
  options.program = "shop_writer";
  OpContext context;
  WHERRY_ASSIGN(const std::unique_ptr<Session> session, Session::connect(context, options));
  Shop shop(*session);
  for (auto next = Clock::now(); !must_stop; next += kPace) {
    WHERRY_TRY(shop.sell(context));
    std::this_thread::sleep_until(next + kPace);
  }
  std::cout << shop.commits() << " transactions committed\n";
  return session->close(context);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: shop_writer HOST:PORT/SERVICE USER\n";
    return 2;
  }
  static_cast<void>(std::signal(SIGTERM, [](int) { must_stop = true; }));
  const auto done = run(argv[1], argv[2]);
  if (done.ok()) return 0;
  std::cerr << done.error().to_paragraph() << '\n';
  return 1;
}
