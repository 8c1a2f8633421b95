# The last scene: no handler can be reached, and the processor shuts down.
scene shutdown
        lidt    nowhere(%rip)
        ud2
