// The messages of an answer, put together from its pieces, and what of them is counted.
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/** Puts the gRPC frames of one call together. */
class Answers {
 public:
  template <typename Visit>
  void take(const uint8_t* bytes, size_t length, Visit visit) {
    pending_.append(reinterpret_cast<const char*>(bytes), length);
    size_t at = 0;
    while (pending_.size() - at >= headerBytes) {
      uint32_t size;
      std::memcpy(&size, &pending_[at + 1], sizeof size);
      const size_t end = at + headerBytes + ntohl(size);
      if (end > pending_.size()) break;
      visit(std::string_view(pending_).substr(at + headerBytes, end - at - headerBytes));
      at = end;
    }
    pending_.erase(0, at);
  }

 private:
  static constexpr size_t headerBytes = 5;
  std::string pending_;
};

inline uint64_t readVarint(std::string_view message, size_t& at) {
  uint64_t value = 0;
  for (int shift = 0; at < message.size() && shift < 64; shift += 7) {
    const uint8_t byte = message[at++];
    value |= uint64_t(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

/** How often a field stands in a protobuf message, at its top level. */
inline uint64_t countField(std::string_view message, uint64_t field) {
  uint64_t count = 0;
  for (size_t at = 0; at < message.size();) {
    const uint64_t tag = readVarint(message, at);
    if (tag >> 3 == field) count++;
    switch (tag & 7) {
      case 0: readVarint(message, at); break;
      case 1: at += 8; break;
      case 2: {
        const uint64_t length = readVarint(message, at);
        at += length;
        break;
      }
      case 5: at += 4; break;
      default: return count;
    }
  }
  return count;
}
