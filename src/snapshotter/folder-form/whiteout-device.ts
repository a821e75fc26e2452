import { linkSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { isErrno } from '../../errors.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { makeWhiteoutDevice } from '../../system/file/special-files.ts';

/**
 * Makes a whiteout as a hard link of one device, so that a layer's whiteouts need no process. The device is made where
 * it is missing or has as many links as the file system allows (65,000 on ext4).
 */
export async function linkWhiteout(device: string, path: string | Buffer): Promise<void> {
  try {
    linkSync(device, path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EMLINK')) throw error;
    const fresh = temporaryName(dirname(device));
    await makeWhiteoutDevice(fresh);
    renameSync(fresh, device);
    linkSync(device, path);
  }
}
