#include "tests/support/orasim.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace wherry::test {
namespace {

[[noreturn]] void cannot_start(const std::string& why) {
  std::fprintf(stderr, "cannot run orasim (" WHERRY_ORASIM "): %s\n", why.c_str());
  std::abort();
}

/// The program's first line, "listening on HOST:PORT"; what it writes later is thrown away when
/// the pipe is closed, and it ignores that.
std::string first_line(int pipe) {
  std::string line;
  char c = 0;
  while (::read(pipe, &c, 1) == 1 && c != '\n') line.push_back(c);
  ::close(pipe);
  return line;
}

}  // namespace

Orasim::Orasim(const std::vector<std::string>& arguments) : arguments_(arguments) {
  start();
}

void Orasim::start() {
  std::vector<std::string> words = {WHERRY_ORASIM,
                                    "--listen",
                                    "127.0.0.1:0",
                                    "--service",
                                    std::string(kService),
                                    "--user",
                                    std::string(kUser) + "/" + std::string(kPassword)};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe(ends) != 0) cannot_start("no pipe");
  process_ = ::fork();
  if (process_ < 0) cannot_start("no process");
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  const std::string line = first_line(ends[0]);
  const std::size_t colon = line.rfind(':');
  if (colon == line.npos) cannot_start("it said \"" + line + "\"");
  port_ = std::atoi(line.c_str() + colon + 1);
}

Orasim::~Orasim() {
  kill();
}

std::string Orasim::easy_connect(std::string_view service) const {
  return "127.0.0.1:" + std::to_string(port_) + "/" + std::string(service);
}

std::string Orasim::url() const {
  return "oracle://" + std::string(kUser) + "@" + easy_connect();
}

void Orasim::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void Orasim::freeze() {
  ::kill(process_, SIGSTOP);
  int status = 0;
  ::waitpid(process_, &status, WUNTRACED);
}

void Orasim::thaw() {
  ::kill(process_, SIGCONT);
}

void Orasim::restart() {
  start();
}

bool Orasim::has_unread_bytes(std::chrono::seconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  constexpr int kMomentMs = 5;
  do {
    std::ifstream sockets("/proc/net/tcp");
    std::string line;
    while (std::getline(sockets, line)) {
      unsigned port = 0, unread = 0;
      const int found = std::sscanf(line.c_str(), "%*d: %*x:%x %*x:%*x %*x %*x:%x", &port, &unread);
      if (found == 2 && static_cast<int>(port) == port_ && unread != 0) return true;
    }
    ::poll(nullptr, 0, kMomentMs);  // the kernel tells of this only when asked
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

}  // namespace wherry::test
