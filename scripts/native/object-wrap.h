// Included before anything else when better-sqlite3 is compiled: node::ObjectWrap as it was before Node 24.19.
//
// Since 24.19 the header makes each wrapped object register a cleanup hook, and remove it in its destructor. On the 24.x
// line that removal aborts the process when the garbage collector runs outside of JavaScript, which it does at any idle
// moment: nodejs/node issue 65446. Every prepared statement of better-sqlite3 12 is such an object. The addon has a hook
// of its own that closes what is open at the end, so the objects can do without theirs. With older headers this changes
// nothing. It goes when the oldest Node of ours can run better-sqlite3 13, which does not use node::ObjectWrap.
#ifndef QUORATE_OBJECT_WRAP_H_
#define QUORATE_OBJECT_WRAP_H_

#include <node.h>

namespace node {
inline void NoCleanupHook(v8::Isolate*, void (*)(void*), void*) {}
}  // namespace node

#define AddEnvironmentCleanupHook NoCleanupHook
#define RemoveEnvironmentCleanupHook NoCleanupHook
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook

#endif  // QUORATE_OBJECT_WRAP_H_
