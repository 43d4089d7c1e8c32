/** Every kind of fault. A new one is a constant in a file here and a name in this list. */
import { clog, loss, slowLink, swizzle } from './congestion';
import { bitFlip, failingDisk, fullDisk, lostDisk, slowDisk, stalledDisk } from './disks';
import type { FaultKind } from './fault';
import { bridge, brokenPair, chain, isolateLeader, oneWay, partition, star } from './partitions';
import { clockJump, crash, crashAll, crashLoop, pause, pauseOthers, powerCut, powerCutAll, restart } from './processes';
import { brokenTransfer, corruptTransfer, crashAtSnapshot, unheardFollower } from './snapshots';
import { lostConnection, strayTimeoutNow } from './stray-messages';
import { deafAbdication, forgottenPromise, lateAnswers, musicalChairs, usurper } from './usurpers';

export const faultKinds: readonly FaultKind[] = [
  ...[partition, isolateLeader, oneWay, brokenPair, bridge, chain, star],
  ...[
    clog,
    swizzle,
    loss,
    slowLink,
    lostConnection,
    strayTimeoutNow,
    usurper,
    lateAnswers,
    musicalChairs,
    deafAbdication,
  ],
  ...[crash, crashAll, crashLoop, powerCut, powerCutAll, pause, pauseOthers, clockJump, restart],
  ...[slowDisk, stalledDisk, failingDisk, bitFlip, lostDisk, fullDisk],
  ...[crashAtSnapshot, brokenTransfer, corruptTransfer, unheardFollower],
  forgottenPromise,
];
