"""What all tests share: packets (`frames`), capture files (`savefiles`), real captures (`captures`)."""
