import { expect, test } from 'vitest';
import { formatNetwork, parseNetwork } from '../../../src/network/address/ipv4.ts';
import { bridgeNetwork } from '../../../src/network/drivers/bridge-link.ts';
import { runTool } from '../../../src/system/process/spawn.ts';

const BRIDGE = 'ocits-idle';

test('a bridge that no container is on has its network still', async () => {
  await runTool('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  try {
    await runTool('ip', ['address', 'add', '10.97.0.1/16', 'dev', BRIDGE]);
    await runTool('ip', ['link', 'set', BRIDGE, 'up']);
    const settings = { folder: '/nowhere', bridge: BRIDGE };
    expect(formatNetwork(await bridgeNetwork(settings))).toBe('10.97.0.0/16');
    const other = { ...settings, bridge: 'ocits-none', network: parseNetwork('10.97.5.0/24') };
    await expect(bridgeNetwork(other)).rejects.toMatchObject({ code: 'in-use' });
  } finally {
    await runTool('ip', ['link', 'delete', 'dev', BRIDGE]);
  }
});
