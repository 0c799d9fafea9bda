"""What has nothing to do with colour or film: files, locks, threads, devices."""
