import type { NetworkDriver } from '../driver.ts';
import { fixedDriver } from './fixed.ts';

/** The driver of the host's own network. */
export function createHostDriver(): NetworkDriver {
  return fixedDriver('its containers have the interfaces of the host');
}
