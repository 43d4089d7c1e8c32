// What a connection reads from and writes to, without ever waiting: a TCP socket, plain or with TLS.
#pragma once

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

/** Of what the socket holds, TLS takes in so much with one system call. */
constexpr size_t tlsReadBytes = 1 << 16;

/** HOST:PORT, or [HOST]:PORT. */
struct Address {
  explicit Address(const std::string& text) {
    const size_t colon = text.rfind(':');
    host = text.substr(0, colon);
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    port = text.substr(colon + 1);
  }

  std::string host;
  std::string port;
};

/** A TCP socket. */
class Transport {
 public:
  enum class Standing { coming, stands, unreachable, handshakeFailed };

  virtual ~Transport() {
    if (socket_ >= 0) ::close(socket_);
  }

  /** Begins to connect; the poll names the owner with each event. */
  bool connectTo(const Address& address, int poll, void* owner) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) return false;
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(found, freeaddrinfo);
    socket_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return false;
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) return false;
    poll_ = poll;
    owner_ = owner;
    epoll_event wanted{EPOLLIN | EPOLLOUT, {owner_}};
    return epoll_ctl(poll_, EPOLL_CTL_ADD, socket_, &wanted) == 0;
  }

  /** Asked at each event, until it stands. */
  virtual Standing standing() {
    int error = 0;
    socklen_t length = sizeof error;
    const bool isKnown = getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length) == 0;
    return isKnown && error == 0 ? Standing::stands : Standing::unreachable;
  }

  /** Has the poll tell of bytes to read always, of room to write only if so wished. */
  bool waitForRoom(bool isWished) {
    if (isWished == waitsForRoom_) return true;
    waitsForRoom_ = isWished;
    epoll_event wanted{isWished ? EPOLLIN | EPOLLOUT : uint32_t{EPOLLIN}, {owner_}};
    return epoll_ctl(poll_, EPOLL_CTL_MOD, socket_, &wanted) == 0;
  }

  /** Returns how many bytes it has read; 0 when there are none yet, less when there will be none. */
  virtual ssize_t read(uint8_t* to, size_t room) {
    const ssize_t length = recv(socket_, to, room, 0);
    return length > 0 ? length : laterOrNever(length);
  }

  /** Whether it holds bytes that the poll does not know of. */
  virtual bool holdsMore() const { return false; }

  /** Returns how many bytes it has taken, or -1; what it has not taken is offered again, perhaps with more behind it. */
  virtual ssize_t write(const uint8_t* bytes, size_t length) {
    const ssize_t sent = send(socket_, bytes, length, MSG_NOSIGNAL);
    return sent >= 0 ? sent : laterOrNever(sent);
  }

 protected:
  int socket_ = -1;

 private:
  static ssize_t laterOrNever(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1; }

  int poll_ = -1;
  void* owner_ = nullptr;
  bool waitsForRoom_ = true;
};

/** What all TLS connections have in common; null if the file holds no certificates of authorities. */
inline std::shared_ptr<SSL_CTX> trustingOnly(const std::string& file) {
  // OpenSSL writes to sockets as to files: where nobody reads any more, that is a signal.
  std::signal(SIGPIPE, SIG_IGN);
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (SSL_CTX_load_verify_locations(context.get(), file.c_str(), nullptr) != 1) return nullptr;
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  const uint8_t protocols[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), protocols, sizeof protocols);
  // A write that has to wait is repeated from a buffer that may have moved.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), tlsReadBytes);
  return context;
}

/** A TCP socket with TLS: the certificate must be the host's, and the protocol agreed on HTTP/2. */
class TlsTransport : public Transport {
 public:
  TlsTransport(SSL_CTX* context, const std::string& host) : tls_(SSL_new(context), SSL_free) {
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), host.c_str()) == 1) return;
    SSL_set_tlsext_host_name(tls_.get(), host.c_str());
    SSL_set1_host(tls_.get(), host.c_str());
  }

  Standing standing() override {
    if (SSL_get_fd(tls_.get()) < 0) {
      if (Transport::standing() != Standing::stands) return Standing::unreachable;
      SSL_set_fd(tls_.get(), socket_);
    }
    ERR_clear_error();
    const int result = SSL_connect(tls_.get());
    if (result == 1) return agreedOnHttp2() ? Standing::stands : Standing::handshakeFailed;
    const bool isComing = laterOrNever(result) == 0 && waitForRoom(SSL_want_write(tls_.get()));
    return isComing ? Standing::coming : Standing::handshakeFailed;
  }

  /** Goes on from record to record, for as long as it needs no system call more than it did. */
  ssize_t read(uint8_t* to, size_t room) override {
    size_t filled = 0;
    do {
      ERR_clear_error();
      const int length = SSL_read(tls_.get(), to + filled, room - filled);
      if (length <= 0) return filled > 0 ? filled : laterOrNever(length);
      filled += length;
    } while (filled < room && holdsMore());
    return filled;
  }

  bool holdsMore() const override { return SSL_has_pending(tls_.get()) == 1; }

  /** Takes all or, for now, nothing. */
  ssize_t write(const uint8_t* bytes, size_t length) override {
    ERR_clear_error();
    const int sent = SSL_write(tls_.get(), bytes, length);
    return sent > 0 ? sent : laterOrNever(sent);
  }

 private:
  bool agreedOnHttp2() const {
    const uint8_t* protocol;
    unsigned length;
    SSL_get0_alpn_selected(tls_.get(), &protocol, &length);
    return std::string_view(reinterpret_cast<const char*>(protocol), length) == "h2";
  }

  ssize_t laterOrNever(int result) const {
    const int reason = SSL_get_error(tls_.get(), result);
    return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }

  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
};

inline std::unique_ptr<Transport> transportTo(const Address& address, SSL_CTX* tls) {
  if (tls == nullptr) return std::make_unique<Transport>();
  return std::make_unique<TlsTransport>(tls, address.host);
}
