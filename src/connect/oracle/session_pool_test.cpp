#include "connect/oracle/session_pool.h"

#include <gtest/gtest.h>

#include "connect/oracle/scripted_server.h"

namespace wherry::oracle {
namespace {

using scripted::Peer;
using scripted::Server;
using scripted::ServerKind;

ConnectOptions options_for(const Server& server) {
  ConnectOptions options;
  options.connect_string = server.connect_string();
  options.user = "scott";
  options.password = Secret(scripted::kPassword);
  return options;
}

/// Log-in and the settings that follow it.
void serve_log_in(Peer& peer) {
  peer.log_in(ServerKind());
  peer.read_request();
  peer.send_response(peer.success(0));
}

void serve_ping(Peer& peer) {
  peer.read_request();
  peer.send_response({9, 0, 0});
}

TEST(SessionPool, LogsInOnceForPiecesOfWorkOneAfterTheOther) {
  Server server([](Peer& peer) {
    serve_log_in(peer);
    serve_ping(peer);
  });
  OpContext context;
  SessionPool pool(options_for(server));
  auto first = pool.acquire(context);
  ASSERT_TRUE(first.ok()) << first.error().to_paragraph();
  const Session* const session = first->get();
  pool.give_back(*std::move(first));
  auto second = pool.acquire(context);
  ASSERT_TRUE(second.ok()) << second.error().to_paragraph();
  EXPECT_EQ(second->get(), session);
  EXPECT_NO_THROW(server.finish());
}

TEST(SessionPool, ReplacesASessionThatDiedMeanwhile) {
  Server server({serve_log_in, serve_log_in});
  OpContext context;
  SessionPool pool(options_for(server));
  auto first = pool.acquire(context);
  ASSERT_TRUE(first.ok()) << first.error().to_paragraph();
  pool.give_back(*std::move(first));
  auto second = pool.acquire(context);
  ASSERT_TRUE(second.ok()) << second.error().to_paragraph();
  EXPECT_NO_THROW(server.finish());
}

TEST(SessionPool, DropsASessionThatBroke) {
  Server server({serve_log_in, serve_log_in});
  OpContext context;
  SessionPool pool(options_for(server));
  auto first = pool.acquire(context);
  ASSERT_TRUE(first.ok()) << first.error().to_paragraph();
  EXPECT_FALSE((*first)->ping(context).ok());
  ASSERT_TRUE((*first)->is_broken());
  pool.give_back(*std::move(first));
  EXPECT_TRUE(pool.acquire(context).ok());
  EXPECT_NO_THROW(server.finish());
}

}  // namespace
}  // namespace wherry::oracle
