#include "stop_signals.h"

#include <pthread.h>
#include <signal.h>

namespace wherry::app {
namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);  // ends the waiter
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A reader that goes away (a closed pipe, a dead server) is an error of its write, not a death.
  signal(SIGPIPE, SIG_IGN);
  waiter_ = std::thread([this, set] {
    int number = 0;
    while (sigwait(&set, &number) == 0 && number != SIGUSR1) source_.request_stop();
  });
}

StopSignals::~StopSignals() {
  pthread_kill(waiter_.native_handle(), SIGUSR1);
  waiter_.join();
}

}  // namespace wherry::app
