import { writeFileSync } from 'node:fs';
import { goldenCases, goldenResult } from '../support/builder/golden-dockerfile.ts';

for (const golden of [...goldenCases('valid'), ...goldenCases('invalid')]) {
  writeFileSync(golden.expectedPath, goldenResult(golden));
}
