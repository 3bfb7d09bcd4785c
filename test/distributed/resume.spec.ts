import { useDistributedProfile } from '../servers/profile.js';

// the same tests as with the embedded profile, to the letter
useDistributedProfile();
await import('../e2e/resume.spec.js');
