import type { NetworkDriver } from '../driver.ts';
import { fixedDriver } from './fixed.ts';

/** Docker's driver `null`: of a network without any interface but the loopback. */
export function createNullDriver(): NetworkDriver {
  return fixedDriver('its containers have a loopback and no other interface');
}
