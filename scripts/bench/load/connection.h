// An HTTP/2 connection that keeps its share of the calls in flight.
#pragma once

#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "answers.h"
#include "run.h"
#include "transport.h"

/** The pause before a broken connection is opened again. */
constexpr int64_t reopenMs = 50;
/** Of flow control: large, so that answers need no leave. */
constexpr int32_t windowBytes = 1 << 24;

/** A place for one call after another, or for one stream. */
struct Slot {
  bool isOpen = false;
  /** When what was sent and is not answered was begun; of a unary call, one. */
  std::deque<int64_t> begunAt;
  const std::string* body = nullptr;
  size_t bytesSent = 0;
  std::string status;
  Answers answers;
  /** Counted since the last message that was wholly answered. */
  uint64_t units = 0;
  int32_t stream = 0;
};

/** One HTTP/2 connection with its share of the calls in flight. */
class Connection {
 public:
  Connection(Run& run, int poll, size_t number, size_t slots)
      : run_(run), poll_(poll), addressAt_(number % run.options.addresses.size()), slots_(slots) {}

  /** When it wants to be opened again; 0 while it is open or about to be. */
  int64_t reopenAt() const { return transport_ == nullptr ? reopenAt_ : 0; }

  void open(int64_t now) {
    const Address address(run_.options.addresses[addressAt_]);
    transport_ = transportTo(address, run_.options.tls.get());
    if (!transport_->connectTo(address, poll_, this)) giveUp("unreachable", now);
  }

  /** Takes in all that has come, and answers with one write. */
  void handle(uint32_t events, int64_t now) {
    if (session_ == nullptr) {
      switch (transport_->standing()) {
        case Transport::Standing::coming: return;
        case Transport::Standing::unreachable: return giveUp("unreachable", now);
        case Transport::Standing::handshakeFailed: return giveUp("handshake", now);
        case Transport::Standing::stands: start();
      }
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !receive()) return close(now);
    if (!flush() || (isSpent_ && openCalls_ == 0)) close(now);
  }

 private:
  /** The connection stands: HTTP/2 and the calls begin. */
  void start() {
    nghttp2_session_callbacks* callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onStreamClose);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                               {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, windowBytes}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, windowBytes);
    for (Slot& slot : slots_) begin(slot, nanos());
  }

  void begin(Slot& slot, int64_t now) {
    if (!run_.mayBegin(now)) return;
    const Request& request = run_.begin(now);
    const nghttp2_nv headers[] = {field(":method", "POST"),
                                  field(":scheme", run_.options.tls == nullptr ? "http" : "https"),
                                  field(":path", run_.options.paths[request.path]),
                                  field(":authority", run_.options.addresses[addressAt_]),
                                  field("content-type", "application/grpc"),
                                  field("te", "trailers")};
    nghttp2_data_provider provider{{}, readBody};
    provider.source.ptr = &slot;
    // Not allowed after a GOAWAY, or when the stream numbers have run out: time for another connection.
    slot.stream = nghttp2_session_check_request_allowed(session_) == 0
                      ? -1
                      : nghttp2_submit_request(session_, nullptr, headers, std::size(headers), &provider, &slot);
    isSpent_ = slot.stream < 0;
    if (isSpent_) return run_.takeBack();
    slot.isOpen = true;
    slot.begunAt.assign(1, now);
    slot.body = &request.frame;
    slot.bytesSent = 0;
    slot.status.clear();
    slot.answers = Answers();
    slot.units = 0;
    openCalls_++;
  }

  void end(Slot& slot, int64_t now) {
    if (!slot.isOpen) return;
    slot.isOpen = false;
    openCalls_--;
    // What a stream leaves unanswered at its end is lost, whatever its status.
    for (const int64_t begunAt : slot.begunAt) run_.end(begunAt, run_.options.window > 0 ? "" : slot.status, now);
    slot.begunAt.clear();
  }

  /** An answer on a stream ends the oldest message, and makes room for the next. */
  void answered(Slot& slot, int64_t now) {
    if (run_.options.window == 0 || run_.options.listen || slot.begunAt.empty()) return;
    run_.end(slot.begunAt.front(), "0", now);
    slot.begunAt.pop_front();
    nghttp2_session_resume_data(session_, slot.stream);
  }

  bool receive() {
    static std::array<uint8_t, 1 << 18> buffer;
    ssize_t length;
    do {
      length = transport_->read(buffer.data(), buffer.size());
      if (length < 0 || nghttp2_session_mem_recv(session_, buffer.data(), length) < 0) return false;
    } while (length > 0 && transport_->holdsMore());
    return true;
  }

  /** Everything pending in one write; what the socket does not take waits until it is writable. */
  bool flush() {
    const uint8_t* piece;
    ssize_t length;
    while ((length = nghttp2_session_mem_send(session_, &piece)) > 0) output_.insert(output_.end(), piece, piece + length);
    if (length < 0) return false;
    if (!output_.empty()) {
      const ssize_t sent = transport_->write(output_.data(), output_.size());
      if (sent < 0) return false;
      output_.erase(output_.begin(), output_.begin() + sent);
    }
    return transport_->waitForRoom(!output_.empty());
  }

  void giveUp(const std::string& reason, int64_t now) {
    if (run_.mayBegin(now)) run_.note(reason);
    close(now);
  }

  void close(int64_t now) {
    for (Slot& slot : slots_) end(slot, now);
    nghttp2_session_del(session_);
    session_ = nullptr;
    transport_.reset();
    output_.clear();
    isSpent_ = false;
    addressAt_ = (addressAt_ + 1) % run_.options.addresses.size();
    reopenAt_ = now + reopenMs * nanosPerMs;
  }

  /** A header field; name and value live as long as the connection. */
  static nghttp2_nv field(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) { return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())); };
    return {bytes(name), bytes(value), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
  }

  static int onHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t nameLength,
                      const uint8_t* value, size_t valueLength, uint8_t, void*) {
    if (nameLength != 11 || std::memcmp(name, "grpc-status", 11) != 0) return 0;
    auto* slot = static_cast<Slot*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
    const bool isNumber = std::all_of(value, value + valueLength, [](uint8_t digit) { return std::isdigit(digit); });
    if (slot != nullptr && isNumber) slot->status.assign(value, value + valueLength);
    return 0;
  }

  /** One call has ended, the next begins. */
  static int onStreamClose(nghttp2_session* session, int32_t stream, uint32_t, void* self) {
    auto* slot = static_cast<Slot*>(nghttp2_session_get_stream_user_data(session, stream));
    if (slot == nullptr) return 0;
    const int64_t now = nanos();
    auto* connection = static_cast<Connection*>(self);
    connection->end(*slot, now);
    connection->begin(*slot, now);
    return 0;
  }

  static int onData(nghttp2_session* session, uint8_t, int32_t stream, const uint8_t* bytes, size_t length, void* self) {
    auto* slot = static_cast<Slot*>(nghttp2_session_get_stream_user_data(session, stream));
    if (slot == nullptr) return 0;
    auto* connection = static_cast<Connection*>(self);
    Run& run = connection->run_;
    if (run.options.window == 0 && run.options.countField == 0) return 0;
    const int64_t now = nanos();
    slot->answers.take(bytes, length, [&](std::string_view message) {
      const uint64_t units = run.options.countField == 0 ? 1 : countField(message, run.options.countField);
      run.take(units);
      for (slot->units += units; slot->units >= run.options.unitsPerMessage; slot->units -= run.options.unitsPerMessage)
        connection->answered(*slot, now);
    });
    return 0;
  }

  static ssize_t readBody(nghttp2_session*, int32_t, uint8_t* to, size_t room, uint32_t* flags,
                          nghttp2_data_source* source, void* self) {
    auto* slot = static_cast<Slot*>(source->ptr);
    auto* connection = static_cast<Connection*>(self);
    if (slot->bytesSent == slot->body->size() && !connection->nextMessage(*slot, flags)) {
      return (*flags & NGHTTP2_DATA_FLAG_EOF) != 0 ? 0 : NGHTTP2_ERR_DEFERRED;
    }
    const size_t length = slot->body->copy(reinterpret_cast<char*>(to), room, slot->bytesSent);
    slot->bytesSent += length;
    if (slot->bytesSent == slot->body->size() && connection->run_.options.window == 0) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return length;
  }

  /** The next message of a stream, if there is room for it; at the end of the run, the end of the stream. */
  bool nextMessage(Slot& slot, uint32_t* flags) {
    const int64_t now = nanos();
    if (!run_.mayBegin(now)) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      return false;
    }
    if (run_.options.listen || slot.begunAt.size() >= run_.options.window) return false;
    slot.body = &run_.begin(now).frame;
    slot.bytesSent = 0;
    slot.begunAt.push_back(now);
    return true;
  }

  Run& run_;
  int poll_;
  size_t addressAt_;
  std::vector<Slot> slots_;
  std::unique_ptr<Transport> transport_;
  nghttp2_session* session_ = nullptr;
  std::vector<uint8_t> output_;
  bool isSpent_ = false;
  size_t openCalls_ = 0;
  int64_t reopenAt_ = 1;
};
