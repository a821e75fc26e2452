import { expect, test } from 'vitest';
import { toolPath } from '../../src/cli/argv/tool-path.ts';

const SYSTEM = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

test.each([
  [undefined, SYSTEM],
  ['', SYSTEM],
  ['.::bin:../x', SYSTEM],
  [':/opt/bin:', `/opt/bin:${SYSTEM}`],
  ['/bin:/opt/bin:/bin', '/bin:/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin'],
])('PATH=%j becomes %j', (path, expected) => {
  expect(toolPath(path)).toBe(expected);
});
