// The load generator of the benchmarks: gRPC calls in a closed loop, on one thread, so that it costs less than what it
// measures. It knows nothing of the service: paths and request bodies come from outside.
//
//   load --addresses HOST:PORT[,...] --path /package.Service/Method --bodies FILE [--path ... --bodies ...] --seconds S
//        [--calls N] [--warmup S] [--in-flight N] [--connections N] [--seed N]
//        [--window N] [--listen 1] [--count-field N] [--units-per-message N] [--tls-ca FILE]
//
// FILE holds the requests one after another, each as a gRPC frame (flag, length, message); the seed decides their order,
// all pairs of path and file taken together. With --window, each of the --in-flight calls is one bidirectional stream (of
// the first path) that keeps so many messages unanswered; each answer ends the oldest. With --listen, it sends one message
// and takes answers until the end. --count-field counts a field of the answers (`units`), such as the events of a watch; so
// many of them as --units-per-message says answer one message of a stream.
// With --tls-ca, connections are TLS: the server's certificate must be of the authorities in that file (PEM), and for HOST.
// Calls that end after the warm-up are counted. No call begins after warm-up and `seconds`, or once `calls` have begun
// after the warm-up; then the open ones have five seconds to end. The result is one line of JSON:
//   elapsedSeconds, cpuSeconds (this process)   from the end of the warm-up until the last call has ended
//   sent           calls begun, warm-up included
//   units          counted by --count-field
//   calls          calls that ended with grpc-status 0, or messages that were answered; latencyMs {p50,p95,p99,p999,max} and longestGapMs (between the
//                  ends of two of them) are about these
//   errors         by reason, warm-up included: a grpc-status; `broken`, a call whose stream ended without one;
//                  `unreachable`, a connection that could not be opened; `handshake`, one that TLS could not be agreed on;
//                  `unfinished`, a call open at the very end
// A connection that breaks is opened again, to the next address. Ends with 2 and a sentence when it cannot begin at all.
#include <arpa/inet.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "connection.h"
#include "run.h"
#include "transport.h"

namespace {

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "load: %s\n", sentence.c_str());
  std::exit(2);
}

void drive(Run& run) {
  const Options& options = run.options;
  const int poll = epoll_create1(EPOLL_CLOEXEC);
  std::vector<std::unique_ptr<Connection>> connections;
  for (size_t at = 0; at < options.connections; at++) {
    const size_t slots = options.inFlight / options.connections + (at < options.inFlight % options.connections);
    connections.push_back(std::make_unique<Connection>(run, poll, at, slots));
  }
  std::array<epoll_event, 64> events;
  for (int64_t now = nanos(); !run.isOver(now); now = nanos()) {
    run.tick(now);
    int64_t nextAt = run.nextAt(now);
    for (const auto& connection : connections) {
      if (connection->reopenAt() != 0 && connection->reopenAt() <= now && run.mayBegin(now)) connection->open(now);
      if (connection->reopenAt() != 0 && run.mayBegin(now)) nextAt = std::min(nextAt, connection->reopenAt());
    }
    const int timeoutMs = std::max<int64_t>(0, (nextAt - now) / nanosPerMs + 1);
    const int count = epoll_wait(poll, events.data(), events.size(), timeoutMs);
    run.tick(nanos());
    for (int at = 0; at < count; at++)
      static_cast<Connection*>(events[at].data.ptr)->handle(events[at].events, nanos());
  }
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream rest(list);
  for (std::string part; std::getline(rest, part, ',');) {
    const size_t colon = part.rfind(':');
    if (colon == std::string::npos || colon == 0) fail("an address is HOST:PORT, not '" + part + "'");
    parts.push_back(part);
  }
  return parts;
}

/** The gRPC frames of a file. */
std::vector<std::string> readFrames(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::string all((std::istreambuf_iterator<char>(stream)), {});
  std::vector<std::string> frames;
  for (size_t at = 0; at < all.size();) {
    uint32_t length = 0;
    if (all.size() - at >= 5) std::memcpy(&length, &all[at + 1], sizeof length);
    const size_t end = at + 5 + ntohl(length);
    if (end > all.size()) fail(file + " ends within a frame");
    frames.push_back(all.substr(at, end - at));
    at = end;
  }
  if (frames.empty()) fail(file + " holds no request");
  return frames;
}

/** The requests of a file go to the path named last. */
void addRequests(Options& options, const std::string& file) {
  if (options.paths.empty()) fail("--path comes before its --bodies");
  for (std::string& frame : readFrames(file)) options.requests.push_back({options.paths.size() - 1, std::move(frame)});
}

std::shared_ptr<SSL_CTX> readAuthorities(const std::string& file) {
  const std::shared_ptr<SSL_CTX> context = trustingOnly(file);
  if (context == nullptr) fail("--tls-ca: no certificates in '" + file + "'");
  return context;
}

double number(const std::string& name, const std::string& text, double least) {
  char* end;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0 || !(value >= least && value <= 1e9)) fail(name + " cannot be '" + text + "'");
  return value;
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  for (size_t at = 0; at < words.size(); at += 2) {
    const std::string& name = words[at];
    const std::string value = at + 1 < words.size() ? words[at + 1] : "";
    if (name == "--addresses") options.addresses = split(value);
    else if (name == "--path") options.paths.push_back(value);
    else if (name == "--bodies") addRequests(options, value);
    else if (name == "--seconds") options.seconds = number(name, value, 0.001);
    else if (name == "--calls") options.calls = number(name, value, 1);
    else if (name == "--warmup") options.warmup = number(name, value, 0);
    else if (name == "--in-flight") options.inFlight = number(name, value, 1);
    else if (name == "--connections") options.connections = number(name, value, 1);
    else if (name == "--window") options.window = number(name, value, 1);
    else if (name == "--listen") options.listen = number(name, value, 0) > 0;
    else if (name == "--count-field") options.countField = number(name, value, 1);
    else if (name == "--units-per-message") options.unitsPerMessage = number(name, value, 1);
    else if (name == "--tls-ca") options.tls = readAuthorities(value);
    else if (name == "--seed") options.seed = number(name, value, 0);
    else fail("there is no option '" + name + "'");
  }
  if (options.listen) options.window = 1;
  if (options.addresses.empty() || options.requests.empty() || options.seconds == 0)
    fail("--addresses, --path, --bodies and --seconds are needed");
  options.connections = std::min(options.connections, options.inFlight);
  return options;
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse({words + 1, words + count});
  Run run(options);
  drive(run);
  run.report(nanos());
}
