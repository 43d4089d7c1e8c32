// The options of a run, its clock and its books.
#pragma once

#include <openssl/ssl.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

constexpr int64_t nanosPerMs = 1'000'000;
/** How long a run waits for its open calls at the end. */
constexpr int64_t graceMs = 5'000;

inline int64_t nanos() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

inline double cpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/** Counts of durations in a fixed space: eight significant bits of each, so at most 0.4 % wrong. */
class Histogram {
 public:
  void record(uint64_t value) {
    const int shift = value < 256 ? 0 : 56 - __builtin_clzll(value);
    counts_[128 * shift + (value >> shift)]++;
    count_++;
    max_ = std::max(max_, value);
  }

  double percentileMs(double fraction) const {
    const uint64_t rank = std::ceil(fraction * count_);
    uint64_t seen = 0;
    for (size_t at = 0; at < counts_.size(); at++) {
      seen += counts_[at];
      if (count_ > 0 && seen >= rank) return std::min<double>(middle(at), max_) / nanosPerMs;
    }
    return 0;
  }

  uint64_t count() const { return count_; }
  double maxMs() const { return double(max_) / nanosPerMs; }

 private:
  static double middle(size_t at) {
    const int shift = at < 256 ? 0 : at / 128 - 1;
    return (at - 128 * shift + (shift > 0 ? 0.5 : 0)) * std::pow(2, shift);
  }

  std::array<uint64_t, 128 * 58> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

/** A request as it is sent: where to, and its gRPC frame. */
struct Request {
  size_t path;
  std::string frame;
};

struct Options {
  std::vector<std::string> addresses;
  std::vector<std::string> paths;
  std::vector<Request> requests;
  /** What TLS connections trust; null: connections are plain. */
  std::shared_ptr<SSL_CTX> tls;
  /** Messages in flight on each stream; 0: calls are unary. */
  size_t window = 0;
  /** Streams send one message and then only listen. */
  bool listen = false;
  /** Of an answer's protobuf: how often this field stands in it counts, instead of the answer itself; 0 for none. */
  uint64_t countField = 0;
  /** So much counted on a stream answers one of its messages. */
  uint64_t unitsPerMessage = 1;
  double seconds = 0;
  double warmup = 0;
  uint64_t calls = UINT64_MAX;
  size_t inFlight = 1;
  size_t connections = 1;
  uint64_t seed = 1;
};

/** The clock and the books of a run. */
class Run {
 public:
  explicit Run(const Options& options)
      : options(options), random_(options.seed), opensAt_(nanos() + int64_t(options.warmup * 1e9)),
        closesAt_(opensAt_ + int64_t(options.seconds * 1e9)) {}

  /** Ends the warm-up when its time has come. To be called before the calls that end at this time are noted. */
  void tick(int64_t now) {
    if (measuring_ || now < opensAt_) return;
    measuring_ = true;
    lastEndAt_ = now;
    openedAt_ = now;
    cpuAtOpening_ = cpuSeconds();
  }

  bool mayBegin(int64_t now) const { return now < closesAt_; }
  bool isOver(int64_t now) const {
    return !mayBegin(now) && (open_ == 0 || options.listen || now >= closesAt_ + graceMs * nanosPerMs);
  }

  /** When the loop must look at the clock again. */
  int64_t nextAt(int64_t now) const {
    if (!measuring_) return opensAt_;
    return now < closesAt_ ? closesAt_ : closesAt_ + graceMs * nanosPerMs;
  }

  const Request& begin(int64_t now) {
    sent_++;
    open_++;
    if (measuring_ && ++begun_ == options.calls) closesAt_ = now;
    // splitmix64
    uint64_t mixed = random_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return options.requests[(mixed ^ (mixed >> 31)) % options.requests.size()];
  }

  /** What was begun last could not be sent. */
  void takeBack() {
    sent_--;
    open_--;
    if (measuring_) begun_--;
  }

  /** Counts what an answer brought. */
  void take(uint64_t units) {
    if (measuring_) units_ += units;
  }

  void end(int64_t begunAt, const std::string& status, int64_t now) {
    open_--;
    if (status != "0") return note(status.empty() ? "broken" : status);
    if (!measuring_) return;
    latencies_.record(now - begunAt);
    longestGap_ = std::max(longestGap_, now - lastEndAt_);
    lastEndAt_ = now;
  }

  void note(const std::string& error, uint64_t times = 1) { errors_[error] += times; }

  void report(int64_t now) {
    tick(now);
    if (open_ > 0 && !options.listen) note("unfinished", open_);
    std::string errors;
    for (const auto& [reason, count] : errors_)
      errors += (errors.empty() ? "\"" : ",\"") + reason + "\":" + std::to_string(count);
    std::printf("{\"elapsedSeconds\":%.6f,\"cpuSeconds\":%.6f,\"sent\":%llu,\"calls\":%llu,\"units\":%llu,\"errors\":{%s},",
                (now - openedAt_) / 1e9, cpuSeconds() - cpuAtOpening_, static_cast<unsigned long long>(sent_),
                static_cast<unsigned long long>(latencies_.count()), static_cast<unsigned long long>(units_),
                errors.c_str());
    std::printf("\"latencyMs\":{\"p50\":%.4f,\"p95\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f},",
                latencies_.percentileMs(0.5), latencies_.percentileMs(0.95), latencies_.percentileMs(0.99),
                latencies_.percentileMs(0.999), latencies_.maxMs());
    std::printf("\"longestGapMs\":%.4f}\n", double(std::max(longestGap_, now - lastEndAt_)) / nanosPerMs);
  }

  const Options& options;

 private:
  uint64_t random_;
  int64_t opensAt_;
  int64_t closesAt_;
  bool measuring_ = false;
  int64_t openedAt_ = 0;
  double cpuAtOpening_ = 0;
  int64_t lastEndAt_ = 0;
  int64_t longestGap_ = 0;
  uint64_t sent_ = 0;
  uint64_t begun_ = 0;
  uint64_t open_ = 0;
  uint64_t units_ = 0;
  Histogram latencies_;
  std::map<std::string, uint64_t> errors_;
};
