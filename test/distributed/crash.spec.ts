import { useDistributedProfile } from '../servers/profile.js';

// the same tests as with the embedded profile, to the letter
useDistributedProfile();
process.env.CRASH_KILLS = '8'; // each start takes longer
await import('../e2e/crash.spec.js');
