/** etcd's Downgrade: its checks of a request, and that there is nothing to downgrade to. */
import { DowngradeRequest_DowngradeAction, type DowngradeRequest } from '../../gen/etcd/etcdserverpb/maintenance';
import { invalid } from '../validate';
import { EtcdError } from './errors';

/** The version of etcd whose API this is, in full: clients read it, and some turn on what it says is there. */
export const etcdVersion = '3.5.21';

/** The only version that an etcd of this version could be taken back to. */
const previousMinor = /^3\.4(\.\d+)?$/;

/**
 * Why a downgrade is refused; it always is, since quorate's versions are not etcd's.
 *
 * @throws EtcdError `bad-downgrade-format`, `bad-downgrade-version`, `not-capable`, `no-downgrade`
 */
export function refuseDowngrade({ action, version }: DowngradeRequest): never {
  const wanted: number = action;
  switch (wanted) {
    case DowngradeRequest_DowngradeAction.VALIDATE:
    case DowngradeRequest_DowngradeAction.ENABLE:
      if (!/^\d+\.\d+(\.\d+)?$/.test(version)) throw new EtcdError('bad-downgrade-format');
      throw new EtcdError(previousMinor.test(version) ? 'not-capable' : 'bad-downgrade-version');
    case DowngradeRequest_DowngradeAction.CANCEL:
      throw new EtcdError('no-downgrade');
    default:
      throw invalid('action', 'is not known', { limit: '0, 1 or 2', actual: String(wanted) });
  }
}
