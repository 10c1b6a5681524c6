"""Bytes made once in format 1, which must open for ever. Never regenerate them to make a test pass.

The data key is `cast.DATA_KEY`, the epoch 3, ids as in the cast.
"""

ENTRY_TEXT_AAD = bytes.fromhex(
    """
    6c6c616d6f726120636f6e746578742076310a000000030192f0c47a00700080000000000000e10192f0c47a00700080
    0000000000000100056669656c64001064696172792e656e7472792e746578740002000f64696172792e656e7472792e
    6461790000000a323032362d31312d3230001064696172792e656e7472792e6b696e6400000005656e747279
    """
)

# Under the content subkey, in `cast.ENTRY_TEXT`: the sentence, then nothing at all.
SHORT_TEXT = "Der erste Schnee."
SHORT = bytes.fromhex(
    """
    010000000353d0bec8aa85de4c88887f660ce1ebce0c604b19d60295f09440bf7ac5ea9e09effb66c97cd0bf7a3c3513
    725507eb2f160c8f4bfecc9597d64a02374f44f6fbb08fd3d6809d54c7bfa3a6a1901de4fee4c4ff0992fa4750b27ba5
    eef5a65bfc25193be6dea04f05
    """
)
EMPTY = bytes.fromhex(
    """
    01000000033a6759fdcbcb65b198183752a35eb838627d9a5877cf9d3e423aa569d6ae9506202adecf3109945fcfd998
    3fcf6506e3ca373d8a50bbeb5758e3c74b74a6d4990ab7680a9fef1d0a32fa4ad2e431b5d489a31c22a4bbcc1f70ea56
    2278be2ee30fffa589c6a14029
    """
)

# The same row and owner, label "diary.reply.text", nothing bound.
LONG_TEXT = "Zeile äöü 🌙\n" * 12
LONG = bytes.fromhex(
    """
    01000000038fc9e05dbd2f39c2a804873b77dbbd3e2aeec6e623278b6d96dc5486078a65b7f147245ea60a81c0b326dc
    1fe2fc102148265195ae83301f25a692609d7491681bf1dd57fbaee850d2bf7031b50968e92107e4314947b20ed70a01
    6f18d00be2612e8b8477668cdd03c42a10b67c049cb1013d67fd5a032aaa3b649a791a4dda0a03fc787f5f848edb013f
    c0f5dedc22ed095e5c63a2514d045c15f8a308efa4c166238f3ac9f804b1cc792cebc7b9c09ae0fba399723146ae3d36
    081439b36064959b87f5262e03507805dcc4eac69394a1c41438593e0039945ffc4050bf2dac8e7b1a6950d2a911617a
    23ed65feed1a0986f6d6b897c56cafed8e1a18e55e6103e8d84342f086
    """
)

# The subkeys of `cast.DATA_KEY`.
SUBKEYS = {
    "CONTENT": "deb355f7a501a72ffa49878585f7a1103bdfe86822e8522a0fcc6a001991ff9b",
    "INDEX": "96606f259e0d998734e9f001e1b52bccea38d89043da5d9239869b2435a11b38",
    "SNAPSHOT": "8578ba6c7e6d93dfcd7624d165c029ea00a11709608a8ebbe88e013aefbeaa87",
    "SLOTS": "f73558193a11e63eb3d41b2c0fd14a99e697f307a3c023c523557d66ec0cd8ad",
}

# Label "traces.trace.name", value "Großmutter".
BLIND_INDEX = bytes.fromhex(
    """
    c19d413b7c425b07f5fe23b774fc9ab59853c13c3e3343f0f1f95951a7d28f53
    """
)

# Parts "ab" and "c" under the data key as digest key.
DIGEST = bytes.fromhex(
    """
    63b8a2865c4e950aa9027e05ddc5d45d72d27bed8809397093c61ca38c1b594d
    """
)

# A slot of kind "password" whose secret is "Straße ﬁn 2026", at `cast.CHEAP` with `cast.SALT`.
SLOT_SECRET = "Straße ﬁn 2026"
KEK = bytes.fromhex(
    """
    e3802a7c6b8c1f343b506c19b47bff9c56aa77701ff98a1974c2c689c30d0137
    """
)
SLOT_PUBLIC_KEY = bytes.fromhex(
    """
    0f5106f81a3a0bacb5e6ff53285ab5ded69bd046d91d063350ba212dcb1a4831
    """
)
SLOT_SEALED_PRIVATE = bytes.fromhex(
    """
    0100000000d2ae33d5adf3b8e6bf310c35c62c64790f3f73493daaf4ecd4c3e2f74ca2be14a811370456a5922274f742
    09f70263999cf3531e5432afe83c0d3510a0959b3d9d40611727caa87f645302bc5f1c20d32633de5e25023d255057f0
    b332245fb11fc8933831c03c8cac1eb0571d3bb0ce
    """
)
SLOT_SEALED_AUTHENTICATOR = bytes.fromhex(
    """
    01000000039acf2a112d8c735c53f8ee44d997c394215ab9e5635d86814d0efe76ca4f9331f346e138e4cae251630cdc
    9b15e51e3b055a0f1579fe2cd7e416654209d272836ca568453fbe3bba0a7bcca8c1c598ff5ff8241a9e98cfcb9e005a
    46ba455876bc71c59da9a1b8b4
    """
)
SLOT_BOX = bytes.fromhex(
    """
    14ae416e406569ae40b24e629b6a39a12225901120c138207fa49af8c7043f52f85a8c3306fcef420e15c7c8eae14de3
    748f407e0a0789f10f3098fee4f70f6ec1f3f02d5ed728ea69a6d99a233ef07782c90e1a3d0d2f42e166b20c54f4caa7
    4fd3ea67f669292dc4cec794aabdf752640481d114
    """
)
SLOT_MAC = bytes.fromhex(
    """
    2f6513179f50a9422280995341d49485cf5a80452571527400a3a003d6b84919
    """
)

# Half 32..63, salt `cast.SALT`, run secret 64..95, row `cast.ENTRY`.
WRAPPED_DEK = bytes.fromhex(
    """
    0100000003167143895bba8bffc8109d967ca9074062b9aec0c1779bf1d0b24ed16db8080c3279b74417bb61b13e2ccd
    a62a97a6294acb3eaf468fc40a635f8705a9d5fe05e9deca235cafab9add315434d563999b310ced5aa6923331ac1b68
    aaa8a865d9a7c6af757ee34d55
    """
)
HALF_HASH = bytes.fromhex(
    """
    b05b379cc352c92a76cce63406cc9434100e3822b7a549cf5f30aa507804d964
    """
)

# Of the random bytes 0..19.
RECOVERY_CODE = "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-J8N4"

# "while locked", in the context of LONG.
VAULT_PRIVATE = bytes.fromhex(
    """
    5cc1286514ae5b743e6580fdfd1aa4a7ef91c20055511eba7a6fdc74d87c9df8
    """
)
VAULT_PUBLIC = bytes.fromhex(
    """
    259c3669293ffd5a5d03878f734926056843b7895466860d7e23f7462af2aa7b
    """
)
SEALED_TO_VAULT = bytes.fromhex(
    """
    0141b837fa40e742aec282cffd27423535ab93932c0e1ebe7b7dc5050a386a937461a02531bf533b0305d11bfa14b096
    114a6155cf051338d3de8551049b779253cf966335aa760576ff519ed741953f6e840d2920a0fa93a6ddc37c8595f1ce
    5a26bb7d8c856ab2f3e8cee9a8eaf6256b2fb0e86d0c1a9b146048141b79e3ba48a063674a9e2c57d93677979ddd640b
    37
    """
)
